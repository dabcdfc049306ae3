import {
  apart,
  type Completion,
  type GeneratedToken,
  type GenerateOptions,
  type RandomState,
  randomState,
} from "@llm/generate";
import type { Generator } from "@llm/toolchain";
import { type Deliver, Delivery } from "./delivery.ts";

/** A piece of one of several answers: its text, and the tokens that made it. */
export interface Piece {
  readonly index: number;
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
}

export interface Ask {
  readonly prompt: string | readonly number[];
  readonly options: GenerateOptions;
  /** Ends this answer where its reader has enough. */
  readonly until?: AbortSignal;
  /** Told once, at the end: of what was said, or of nothing where it failed. */
  readonly onEnd?: (completion: Completion | undefined) => void;
}

/**
 * Generates for all of these at once and tells of every piece as it comes. `onPiece` may take its time: what it returns is
 * waited for, while the engine goes on.
 */
export async function answer(
  generator: Generator,
  asks: readonly Ask[],
  signal: AbortSignal,
  onPiece?: (piece: Piece) => Promise<void>,
): Promise<Completion[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const runs = asks.map(async (ask, index) => {
    let completion: Completion | undefined;
    try {
      const deliver =
        onPiece && ((text: string, tokens: readonly GeneratedToken[]) => onPiece({ index, text, tokens }));
      completion = await answerOne(generator, ask, either, deliver);
      return completion;
    } catch (error) {
      // One that fails ends its siblings: there is no answer that is half there.
      failed.abort(error);
      throw error;
    } finally {
      ask.onEnd?.(completion);
    }
  });
  const settled = await Promise.allSettled(runs);
  const first = settled.find((run) => run.status === "rejected");
  if (first) throw failed.signal.aborted && !signal.aborted ? failed.signal.reason : first.reason;
  return settled.map((run) => (run as PromiseFulfilledResult<Completion>).value);
}

async function answerOne(
  generator: Generator,
  { prompt, options, until }: Ask,
  signal: AbortSignal,
  deliver: Deliver | undefined,
): Promise<Completion> {
  const signals = until ? [signal, until] : [signal];
  const generate = (more: GenerateOptions): Promise<Completion> =>
    generator.stream(prompt as string | number[], { ...options, ...more }).result;
  if (!deliver) return generate({ signal: AbortSignal.any(signals) });

  const failed = new AbortController();
  const delivery = new Delivery(deliver, (reason) => failed.abort(reason));
  const onToken: GenerateOptions["onToken"] = (token, piece) => {
    options.onToken?.(token, piece);
    delivery.add(token, piece);
  };
  let completion: Completion | undefined;
  try {
    completion = await generate({ signal: AbortSignal.any([...signals, failed.signal]), onToken });
    return completion;
  } finally {
    delivery.finish(completion?.text);
    await delivery.done();
  }
}

/** The random state that a request's seed stands for; any, where it has none. */
export function stateOf(seed: number | null | undefined): RandomState {
  return randomState(seed ?? Math.floor(Math.random() * 2 ** 31));
}

/** The same question `n` times, each drawing differently: several answers are drawn unless the question says how. */
export function times(ask: Ask, n: number, state: RandomState): Ask[] {
  const how = n === 1 ? {} : { greedy: false };
  return apart(state, n).map((random) => ({ ...ask, options: { ...how, ...ask.options, random } }));
}
