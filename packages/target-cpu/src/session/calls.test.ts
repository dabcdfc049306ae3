import type { Row } from "@llm/target";
import { expect, test } from "vitest";
import { planCalls } from "./calls.ts";

const row = (slot: number, length: number): Row => ({ slot, at: 0, tokens: new Int32Array(length) });

test("longer rows go one by one, in order", () => {
  expect(planCalls([row(2, 5), row(0, 3)])).toEqual([
    { first: 2, count: 1, seq: 5, rows: [0] },
    { first: 0, count: 1, seq: 3, rows: [1] },
  ]);
});

test("rows of one token go first and together, and slots in between idle", () => {
  expect(planCalls([row(4, 1), row(2, 7), row(1, 1)])).toEqual([
    { first: 1, count: 4, seq: 1, rows: [2, undefined, undefined, 0] },
    { first: 2, count: 1, seq: 7, rows: [1] },
  ]);
});

test("nothing to do is no call", () => {
  expect(planCalls([])).toEqual([]);
});
