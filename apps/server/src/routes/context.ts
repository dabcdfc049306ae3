import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ModelHost } from "../engine/model-host.ts";
import { EventStream } from "../http/event-stream.ts";
import { goneSignal } from "../http/gone.ts";
import { isGone, problemOf } from "../http/problems.ts";

/** What every route is given. */
export interface RouteContext {
  readonly app: FastifyInstance;
  readonly host: ModelHost;
  /** Names this build of the server in answers. */
  readonly fingerprint: string;
}

/** Hands a stream of events to `write`; what fails in it is told as an event, since the status is out already. */
export async function streamTo(
  request: FastifyRequest,
  reply: FastifyReply,
  param: string,
  write: (stream: EventStream, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const signal = goneSignal(request);
  reply.hijack();
  const stream = new EventStream(reply.raw, { "x-request-id": request.id });
  try {
    await write(stream, signal);
    stream.end();
  } catch (error) {
    if (!isGone(error)) {
      const problem = problemOf(error, request.id, param);
      if (problem.status >= 500) request.log.error({ err: error }, "a stream failed");
      await stream.send(problem.toBody());
    }
    stream.end(false);
  }
}
