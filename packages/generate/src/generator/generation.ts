import type { AnswerFormats } from "../answer/formats.ts";
import { GenerateError } from "../error.ts";
import type { RandomState } from "../random/random-state.ts";
import type { FinishReason, GeneratedToken, Usage } from "../scheduler/request.ts";

/** A finished text. */
export interface Completion {
  readonly text: string;
  readonly tokens: readonly number[]; // a token that ended the text included
  readonly finishReason: FinishReason;
  /** Of the texts that were to end it, the one that did. */
  readonly stoppedBy?: string;
  readonly logprobs?: readonly GeneratedToken[];
  /** Of the prompt's tokens, where they were asked for; the first has none. */
  readonly promptLogprobs?: readonly GeneratedToken[];
  /** Of a beam search: the sum of log-probabilities over the length to the length penalty. */
  readonly score?: number;
  readonly usage: Usage;
  /** To go on with: the next draws don't repeat these. */
  readonly random: RandomState;
  readonly timings: Timings;
}

export interface Timings {
  /** From asking to when nobody else was waited for, where there was one place to wait for. */
  readonly queuedMs?: number;
  readonly firstTokenMs: number; // from asking to the first token
  readonly totalMs: number;
}

/** A text on its way: iterate for its pieces, or await `result`. Whoever stops iterating before the end cancels it. */
export interface Generation extends AsyncIterable<string> {
  readonly result: Promise<Completion>;
  /** How its answer is written, for an `AnswerParser`: what a conversation's template shows, or the call said. */
  readonly formats: AnswerFormats;
}

/** Something that was started: what comes of it, and how to end it before. */
export interface Started<T> {
  readonly done: Promise<T>;
  cancel(reason?: unknown): void;
}

/** Starts all of them; when one fails, or can't even start, the others are cancelled. */
export async function together<T>(starts: readonly (() => Started<T>)[]): Promise<T[]> {
  const started: Started<T>[] = [];
  try {
    for (const start of starts) started.push(start());
    return await Promise.all(started.map(({ done }) => done));
  } catch (error) {
    for (const { done, cancel } of started) {
      done.catch(() => {}); // the first error is the one to tell
      cancel(error);
    }
    throw error;
  }
}

/** Pieces of text from a producer that never waits to the one consumer, who may. */
export class PieceQueue {
  readonly #pieces: string[] = [];
  #taken = false;
  #done = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  push(piece: string): void {
    if (piece === "" || this.#done) return;
    this.#pieces.push(piece);
    this.#wake?.();
  }

  end(error?: unknown): void {
    if (this.#done) return;
    this.#done = true;
    this.#error = error;
    this.#wake?.();
  }

  /** The pieces, for one reader; `onLeave` is called when it leaves before their end. */
  iterate(onLeave: () => void): AsyncIterableIterator<string> {
    if (this.#taken)
      throw new GenerateError("unsupported", "these pieces are read already, and can be read once only; await result");
    this.#taken = true;
    const pieces = this.#read();
    return {
      next: () => pieces.next(),
      return: () => {
        this.#leave(onLeave);
        return pieces.return(undefined);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Ends a read that is waiting, too: that's why the generator's own `return` wouldn't do. */
  #leave(onLeave: () => void): void {
    const early = !this.#done;
    this.#pieces.length = 0;
    this.end();
    if (early) onLeave();
  }

  async *#read(): AsyncGenerator<string, undefined> {
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
