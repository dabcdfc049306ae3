import { expect, test } from "vitest";
import { drawFromBest, drawFromLogits } from "./draw.ts";

const best = { shares: Float32Array.of(0.4, 0.2, 0.2, 0.2), ids: Int32Array.of(7, 3, 5, 1) };
const sampling = (topK: number) => ({ method: "sample", topK }) as const;

test("the best decide where none beyond them can be as good as the last that counts", () => {
  expect(drawFromBest(best, 100, sampling(1), 0.5)).toBe(7);
  // Of 2 the second is as good as the last candidate: whether more are can't be told.
  expect(drawFromBest(best, 100, sampling(2), 0.5)).toBeUndefined();
  expect(drawFromBest(best, 4, sampling(2), 0.1)).toBe(1);
});

test("what has no share at all isn't drawn, however many there are of it", () => {
  const cold = { shares: Float32Array.of(1, 0, 0, 0), ids: best.ids };
  expect(drawFromBest(cold, 100, sampling(3), 0.999)).toBe(7);
});

test("logits decide with all that are as good, of those that are allowed", () => {
  const logits = Float32Array.of(9, 1, 1, 0, 1);
  const allow = Uint32Array.of(0b11110);
  const drawn = [0.1, 0.5, 0.9].map((random) => drawFromLogits(logits, allow, sampling(1), random));
  expect(drawn).toEqual([1, 2, 4]);
  expect(drawFromLogits(logits, new Uint32Array(1), sampling(1), 0.5)).toBe(-1);
  expect(drawFromLogits(logits.fill(Number.NaN), undefined, sampling(1), 0.5)).toBe(-1);
});
