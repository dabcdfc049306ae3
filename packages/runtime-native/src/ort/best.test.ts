import { describe, expect, test } from "vitest";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { type BestOptions, bestOf } from "./best.ts";
import { ortAddonStatus } from "./open.ts";

/** Many equal values among them. */
function row(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return (state % 400) / 8;
  });
}

const { used } = ortAddonStatus();

describe.each([
  ["JavaScript", true],
  ["the addon", false],
] as const)("%s", (_, plain) => {
  const skipped = !plain && skipWithout(used);
  const best = (logits: Float32Array, vocab: number, k: number, options: BestOptions = {}) =>
    bestOf(logits, vocab, k, { ...options, plain });

  test.skipIf(skipped)("the k best are those that sorting finds", () => {
    const logits = row(3000, 1);
    const sorted = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
    for (const k of [1, 2, 7, 100, 3000]) {
      const { ids, logits: values } = best(logits, 3000, k);
      expect([...ids]).toEqual(sorted.slice(0, k));
      expect([...values]).toEqual(sorted.slice(0, k).map((id) => logits[id]));
    }
  });

  test.skipIf(skipped)("each row has its own, among what is allowed", () => {
    const logits = Float32Array.from([...row(70, 2), ...row(70, 3)]);
    const allow = Uint32Array.of(0b1011, 0, 1 << 2); // 0, 1, 3 and 66
    const { ids, logits: values, logSumExp } = best(logits, 70, 5, { allow, sums: true });
    for (const at of [0, 70]) {
      const sorted = [0, 1, 3, 66].sort((a, b) => logits[at + b]! - logits[at + a]! || a - b);
      expect([...ids.subarray(at / 14, at / 14 + 5)]).toEqual([...sorted, -1]);
      expect(values[at / 14 + 4]).toBe(Number.NEGATIVE_INFINITY);
      const sum = sorted.reduce((total, id) => total + Math.exp(logits[at + id]! - 50), 0);
      expect(logSumExp![at / 70]).toBeCloseTo(50 + Math.log(sum), 4);
    }
  });

  test.skipIf(skipped)("what is no number is never chosen, and minus infinity only in the end", () => {
    const logits = Float32Array.of(Number.NaN, Number.NEGATIVE_INFINITY, 1, Number.NaN, Number.POSITIVE_INFINITY);
    expect([...best(logits, 5, 4).ids]).toEqual([4, 2, 1, -1]);
  });
});
