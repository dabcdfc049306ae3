import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ModelHost } from "../engine/model-host.ts";
import type { Turns } from "../engine/turns.ts";
import { EventStream } from "../http/event-stream.ts";
import { isGone, problemOf } from "../http/problems.ts";
import type { Metrics } from "../metrics/metrics.ts";

/** What every route is given. */
export interface RouteContext {
  readonly app: FastifyInstance;
  readonly host: ModelHost;
  readonly turns: Turns;
  readonly metrics: Metrics;
  /** Names this build of the server in answers. */
  readonly fingerprint: string;
}

export interface StreamForm {
  /** How an error is told in the middle; OpenAI's body unless said. */
  readonly problem?: (problem: ReturnType<typeof problemOf>) => { readonly data: unknown; readonly name?: string };
  /** Whether the stream ends with a word that says so, as OpenAI's older ones do. */
  readonly done?: boolean;
}

/**
 * Hands a stream of events to `write`. What fails in it before the first event is an answer of its own; later it is told as
 * an event, since the status is out already.
 */
export async function streamTo(
  request: FastifyRequest,
  reply: FastifyReply,
  { problem: told = (problem) => ({ data: problem.toBody() }), done = true }: StreamForm,
  write: (stream: EventStream) => Promise<void>,
): Promise<void> {
  const stream = new EventStream(reply);
  try {
    await write(stream);
    stream.end(done);
  } catch (error) {
    if (!stream.begun) {
      stream.cancel();
      throw error;
    }
    if (!isGone(error)) {
      const problem = problemOf(error, request);
      if (problem.status >= 500) request.log.error({ err: error }, "a stream failed");
      const { data, name } = told(problem);
      await stream.send(data, name);
    }
    stream.end(false);
  }
}
