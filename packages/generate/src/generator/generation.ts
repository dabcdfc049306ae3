import type { RandomState } from "../random/random-state.ts";
import type { FinishReason, GeneratedToken, Usage } from "../scheduler/request.ts";

/** A finished text. */
export interface Completion {
  readonly text: string;
  readonly tokens: readonly number[]; // a token that ended the text included
  readonly finishReason: FinishReason;
  readonly logprobs?: readonly GeneratedToken[];
  readonly usage: Usage;
  /** To go on with: the next draws don't repeat these. */
  readonly random: RandomState;
  readonly timings: Timings;
}

export interface Timings {
  readonly firstTokenMs: number; // from asking to the first token
  readonly totalMs: number;
}

/** A text on its way: iterate for its pieces, or await `result`. */
export interface Generation extends AsyncIterable<string> {
  readonly result: Promise<Completion>;
}

/** Pieces of text from a producer that never waits to a consumer that may. */
export class PieceQueue implements AsyncIterable<string> {
  readonly #pieces: string[] = [];
  #done = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  push(piece: string): void {
    if (piece === "") return;
    this.#pieces.push(piece);
    this.#wake?.();
  }

  end(error?: unknown): void {
    this.#done = true;
    this.#error = error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        yield piece;
        continue;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#done) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
