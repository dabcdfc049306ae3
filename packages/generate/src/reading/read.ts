import type { Started } from "../generator/generation.ts";
import type { GeneratedToken, ReadRequest } from "../scheduler/request.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { logSumExpOf, withLogprobs } from "./logprobs.ts";

type Rest = Pick<ReadRequest, "adapter" | "priority" | "signal">;

/** A text and what was said after it, however long they are. */
export function followedBy(text: Int32Array, said: readonly number[]): Int32Array {
  const both = new Int32Array(text.length + said.length);
  both.set(text);
  both.set(said, text.length);
  return both;
}

/** What the model says after a text: its logits, to keep. */
export function logitsAfter(scheduler: Scheduler, tokens: ArrayLike<number>, rest: Rest = {}): Started<Float32Array> {
  let logits = new Float32Array(0);
  const { done, cancel } = scheduler.read({
    ...rest,
    tokens,
    kind: "logits",
    onRows: (values) => {
      logits = values.slice();
    },
  });
  return { done: done.then(() => logits), cancel };
}

/**
 * How likely the model finds each token of a text after those before it, and which `count` it finds likeliest there. Of the
 * first nothing can be said.
 */
export function logprobsOf(
  scheduler: Scheduler,
  tokens: ArrayLike<number>,
  { count, ...rest }: Rest & { readonly count: number },
): Started<GeneratedToken[]> {
  const told: GeneratedToken[] = [{ id: tokens[0]! }];
  if (tokens.length === 1) return { done: Promise.resolve(told), cancel: () => {} };
  const { vocab } = scheduler.session.limits;
  const { done, cancel } = scheduler.read({
    ...rest,
    tokens: Int32Array.from(tokens).subarray(0, -1),
    kind: "logits",
    from: 0,
    onRows: (values, at, rows) => {
      for (let i = 0; i < rows; i++) {
        const logits = values.subarray(i * vocab, (i + 1) * vocab);
        told.push(withLogprobs(tokens[at + i + 1]!, logits, logSumExpOf(logits), count));
      }
    },
  });
  return { done: done.then(() => told), cancel };
}

/** How a text's vector is made of its tokens': their mean, or that of the last. */
export type Pooling = "mean" | "last";

export interface EmbedOptions extends Rest {
  readonly pooling?: Pooling; // "mean"
  /** Scaled to length 1: true unless said. */
  readonly normalise?: boolean;
}

/** A text as a vector: what its tokens are after the last block and its norm. */
export function embeddingOf(
  scheduler: Scheduler,
  tokens: ArrayLike<number>,
  { pooling = "mean", normalise = true, ...rest }: EmbedOptions = {},
): Started<Float32Array> {
  const { width } = scheduler.session.limits;
  const sum = new Float64Array(width);
  const { done, cancel } = scheduler.read({
    ...rest,
    tokens,
    kind: "hidden",
    from: pooling === "last" ? tokens.length - 1 : 0,
    onRows: (values, _, rows) => {
      for (let i = 0; i < rows * width; i++) sum[i % width]! += values[i]!;
    },
  });
  const vector = (): Float32Array => {
    const length = normalise ? Math.hypot(...sum) : pooling === "mean" ? tokens.length : 1;
    return Float32Array.from(sum, (x) => x / (length || 1));
  };
  return { done: done.then(vector), cancel };
}
