import type { Completion, Pooling } from "@llm/generate";
import type { Generator } from "@llm/toolchain";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Desk } from "../access/desk.ts";
import { checkLength } from "../answer/too-long.ts";
import { goneSignal } from "../http/gone.ts";
import { isBeyondUse, isCallersMistake } from "../http/problems.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type Ask, answer, type Piece } from "./answers.ts";
import type { ModelHost } from "./model-host.ts";

/** One request's time with a model. */
export interface Turn {
  readonly model: string;
  readonly generator: Generator;
  /** Raised when the client goes away, or the server stops. */
  readonly signal: AbortSignal;
  answer(asks: readonly Ask[], onPiece?: (piece: Piece) => Promise<void>): Promise<Completion[]>;
  /** Texts as vectors. */
  embed(texts: readonly (readonly number[])[], pooling?: Pooling): Promise<Float32Array[]>;
}

/** Texts that are queued together: of a long list, others need not wait for all. */
const AT_ONCE = 16;

/** Lets requests in, gives each its model, and notes what comes of them. */
export class Turns {
  readonly #host: ModelHost;
  readonly #desk: Desk;
  readonly #metrics: Metrics;

  constructor(host: ModelHost, desk: Desk, metrics: Metrics) {
    this.#host = host;
    this.#desk = desk;
    this.#metrics = metrics;
  }

  /** Whether requests are still taken on. */
  get open(): boolean {
    return !this.#desk.closed;
  }

  /**
   * Begins a request for so many answers. It ends by itself when its response does, however that comes.
   * @param field what asks for more than one
   * @throws ApiError where the model isn't served, or the caller must come later
   */
  async begin(
    request: FastifyRequest,
    reply: FastifyReply,
    model: string | null | undefined,
    answers: number,
    field: string | null = null,
  ): Promise<Turn> {
    this.#host.named(model);
    const visit = this.#desk.enter(request.caller, answers, field);
    const gone = goneSignal(reply);
    reply.raw.once("close", visit.leave);
    const { id, options, generator, release } = await this.#host.lease(model, visit.signal);
    if (reply.raw.destroyed) release();
    else reply.raw.once("close", release);
    const signal = AbortSignal.any([gone, visit.signal]);
    const here = (ask: Ask): Ask => ({ ...ask, options: { ...options, ...ask.options } });
    /** What came to nothing is counted, and a device that failed is out of use for everybody. */
    const noted = (error: unknown, answers: number): unknown => {
      if (isBeyondUse(error)) this.#host.drop(id, generator);
      const reason = signal.aborted ? "abort" : isCallersMistake(error) ? "refused" : "error";
      if (answers > 0) this.#metrics.failed(id, answers, reason);
      return error;
    };
    return {
      model: id,
      generator,
      signal,
      answer: async (asks, onPiece) => {
        try {
          for (const ask of asks) checkLength(generator, ask);
          return await answer(generator, this.#metrics.watch(id, generator, asks.map(here)), signal, onPiece);
        } catch (error) {
          const enough = asks.some(({ until }) => until?.aborted) && !signal.aborted;
          throw noted(error, enough ? 0 : asks.length);
        }
      },
      embed: async (texts, pooling) => {
        const { adapter } = options;
        const reading = { signal, ...(adapter === undefined ? {} : { adapter }), ...(pooling ? { pooling } : {}) };
        const vectors: Float32Array[] = [];
        for (let at = 0; at < texts.length; at += AT_ONCE) {
          const some = texts.slice(at, at + AT_ONCE);
          const end = this.#metrics.reading(id, generator, some);
          try {
            vectors.push(...(await generator.embed(some, reading)));
            end(true);
          } catch (error) {
            end(false);
            throw noted(error, some.length);
          }
        }
        return vectors;
      },
    };
  }
}
