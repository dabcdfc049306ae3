import type { FastifyRequest } from "fastify";

/** A signal that is raised when the client goes away before it has its answer. */
export function goneSignal(request: FastifyRequest): AbortSignal {
  const controller = new AbortController();
  request.raw.socket.once("close", () => controller.abort(new DOMException("the client went away", "AbortError")));
  return controller.signal;
}
