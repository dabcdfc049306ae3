import type { FastifyReply } from "fastify";

/** A signal that is raised when the client goes away before it has its answer. It belongs to the answer, not to the
 * connection, which many may share one after the other. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController();
  raw.once("close", () => {
    if (!raw.writableFinished) controller.abort(new DOMException("the client went away", "AbortError"));
  });
  return controller.signal;
}
