import { findBest } from "@llm/runtime-native/ort";
import type { RowResult, Want } from "@llm/target";
import { expect, test } from "vitest";
import { answer, searchFor } from "./answer.ts";

function answered(want: Want, logits: Float32Array, vocab: number): RowResult {
  const search = searchFor(want, logits, vocab);
  if (search) findBest(search);
  return answer(want, logits, search);
}

const logits = Float32Array.of(1, 5, 3, 5, -2, 0, 0, 0, 0, 7); // (2, 5)
const allow = Uint32Array.of(0b10101);

test("the best token of each row; of equals the lower id", () => {
  expect(answered({ kind: "token", sampling: { method: "greedy" }, last: 2 }, logits, 5).tokens).toEqual(
    Int32Array.of(1, 4),
  );
});

test("only what is allowed", () => {
  const want = { kind: "token", sampling: { method: "greedy" }, last: 2, allow } as const;
  expect(answered(want, logits, 5).tokens).toEqual(Int32Array.of(2, 4));
});

test("the best k in order, with what makes log-probabilities of them", () => {
  const { top } = answered({ kind: "top", k: 3, last: 2 }, logits, 5);
  expect(top?.ids).toEqual(Int32Array.of(1, 3, 2, 4, 0, 1));
  expect(top?.logits).toEqual(Float32Array.of(5, 5, 3, 7, 0, 0));
  const sums = [...logits.slice(0, 5)].reduce((sum, x) => sum + Math.exp(x), 0);
  expect(top?.logSumExp[0]).toBeCloseTo(Math.log(sums), 5);
});

test("fewer allowed than wanted leaves the rest empty", () => {
  const { top } = answered({ kind: "top", k: 4, last: 1, allow }, logits.subarray(0, 5), 5);
  expect(top?.ids).toEqual(Int32Array.of(2, 0, 4, -1));
  expect(top?.logits[3]).toBe(Number.NEGATIVE_INFINITY);
});

test("the k best of many are those that sorting finds", () => {
  let state = 1;
  const row = Float32Array.from({ length: 3000 }, () => (state = (state * 48271) % 2147483647) % 400);
  const sorted = [...row.keys()].sort((a, b) => row[b]! - row[a]! || a - b);
  for (const k of [1, 2, 7, 100, 3000])
    expect([...answered({ kind: "top", k, last: 1 }, row, 3000).top!.ids]).toEqual(sorted.slice(0, k));
});
