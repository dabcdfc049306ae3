import type { Row } from "@llm/target";
import { expect, test } from "vitest";
import { planCalls } from "./calls.ts";

const row = (slot: number, length: number): Row => ({ slot, at: 0, tokens: new Int32Array(length) });

const always = () => true;

test("longer rows go one by one, in order", () => {
  expect(planCalls([row(2, 5), row(0, 3)], always)).toEqual([
    { first: 2, count: 1, seq: 5, rows: [0] },
    { first: 0, count: 1, seq: 3, rows: [1] },
  ]);
});

test("rows of one token go first and together, and slots in between idle", () => {
  expect(planCalls([row(4, 1), row(2, 7), row(1, 1)], always)).toEqual([
    { first: 1, count: 4, seq: 1, rows: [2, undefined, undefined, 0] },
    { first: 2, count: 1, seq: 7, rows: [1] },
  ]);
});

test("nothing to do is no call", () => {
  expect(planCalls([], always)).toEqual([]);
});

test("a slot that can't idle parts the rows around it", () => {
  expect(planCalls([row(0, 1), row(2, 1), row(5, 1), row(3, 1)], (slot) => slot !== 4)).toEqual([
    { first: 0, count: 4, seq: 1, rows: [0, undefined, 1, 3] },
    { first: 5, count: 1, seq: 1, rows: [2] },
  ]);
});
