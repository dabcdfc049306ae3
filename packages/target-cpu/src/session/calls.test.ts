import type { Row } from "@llm/target";
import { expect, test } from "vitest";
import { planCalls } from "./calls.ts";

const row = (slot: number, length: number): Row => ({ slot, at: 0, tokens: new Int32Array(length) });

const free = () => 0;

test("longer rows go one by one, in order", () => {
  expect(planCalls([row(2, 5), row(0, 3)], free)).toEqual([
    { first: 2, count: 1, seq: 5, rows: [0] },
    { first: 0, count: 1, seq: 3, rows: [1] },
  ]);
});

test("rows of one token go first and together, and slots in between idle", () => {
  expect(planCalls([row(4, 1), row(2, 7), row(1, 1)], free)).toEqual([
    { first: 1, count: 4, seq: 1, rows: [2, undefined, undefined, 0] },
    { first: 2, count: 1, seq: 7, rows: [1] },
  ]);
});

test("nothing to do is no call", () => {
  expect(planCalls([], free)).toEqual([]);
});

test("a slot that can't idle parts the rows around it", () => {
  const full = (slot: number) => (slot === 4 ? Number.POSITIVE_INFINITY : 0);
  expect(planCalls([row(0, 1), row(2, 1), row(5, 1), row(3, 1)], full)).toEqual([
    { first: 0, count: 4, seq: 1, rows: [0, undefined, 1, 3] },
    { first: 5, count: 1, seq: 1, rows: [2] },
  ]);
});

test("so do more idle slots than reading the weights once more costs", () => {
  expect(planCalls([row(0, 1), row(31, 1)], () => 0.3)).toEqual([
    { first: 0, count: 1, seq: 1, rows: [0] },
    { first: 31, count: 1, seq: 1, rows: [1] },
  ]);
  expect(planCalls([row(0, 1), row(4, 1)], () => 0.3)).toHaveLength(1);
});
