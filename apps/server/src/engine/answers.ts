import { type Completion, fold, type GeneratedToken, type GenerateOptions, randomState } from "@llm/generate";
import type { Generator } from "@llm/toolchain";

/** A piece of one of several answers: its text, and the tokens that made it. */
export interface Piece {
  readonly index: number;
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
}

export interface Ask {
  readonly prompt: string | readonly number[];
  readonly options: GenerateOptions;
}

/**
 * Generates for all of these at once and tells of every piece as it comes. `onPiece` may take its time: what it returns is
 * waited for, while the engine goes on.
 */
export async function answer(
  generator: Generator,
  asks: readonly Ask[],
  signal: AbortSignal,
  onPiece: (piece: Piece) => Promise<void> = async () => {},
): Promise<Completion[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const runs = asks.map(async ({ prompt, options }, index) => {
    let tokens: GeneratedToken[] = [];
    const generation = generator.stream(prompt as string | number[], {
      ...options,
      signal: either,
      onToken: (token) => void tokens.push(token),
    });
    try {
      for await (const text of generation) {
        const taken = tokens;
        tokens = [];
        await onPiece({ index, text, tokens: taken });
      }
      const completion = await generation.result;
      if (tokens.length > 0) await onPiece({ index, text: "", tokens });
      return completion;
    } catch (error) {
      // One that fails ends its siblings: there is no answer that is half there.
      failed.abort(error);
      throw error;
    }
  });
  const settled = await Promise.allSettled(runs);
  const first = settled.find((run) => run.status === "rejected");
  if (first) throw failed.signal.aborted && !signal.aborted ? failed.signal.reason : first.reason;
  return settled.map((run) => (run as PromiseFulfilledResult<Completion>).value);
}

/** The same question `n` times, each drawing differently. */
export function times(ask: Ask, n: number, seed: number | null | undefined): Ask[] {
  const state = randomState(seed ?? Math.floor(Math.random() * 2 ** 31));
  return Array.from({ length: n }, (_, i) => ({
    ...ask,
    options: { ...ask.options, random: n === 1 ? state : fold(state, i) },
  }));
}
