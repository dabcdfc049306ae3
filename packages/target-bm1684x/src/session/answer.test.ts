import type { Want } from "@llm/target";
import { expect, test } from "vitest";
import { FakeBmrt } from "../testing/fake-bmrt.ts";
import { answer } from "./answer.ts";
import { findLayout } from "./find-layout.ts";
import { recognisedRoles } from "./roles.ts";

const VOCAB = 19;
const style = { style: "new", devices: 1, greedyHead: false, candidates: 0 } as const;
const bmrt = new FakeBmrt({ layers: 1, places: 8, width: 4, vocab: VOCAB, ...style });
const layout = findLayout([await bmrt.load(0)], recognisedRoles, VOCAB);

function asked(want: Want, ...rows: readonly (readonly number[])[]) {
  const raw = rows.map((row) => ({ what: "logits", bytes: new Uint8Array(Float32Array.from(row).buffer) }) as const);
  return answer(want, raw, layout);
}
const rising = Array.from({ length: VOCAB }, (_, id) => id / 2);
const greedy = { kind: "token", sampling: { method: "greedy" } } as const;

test("the best of several rows, and of what is allowed", () => {
  const falling = rising.toReversed();
  expect([...asked({ ...greedy, last: 2 }, rising, falling).tokens!]).toEqual([VOCAB - 1, 0]);
  const allow = Uint32Array.of(0b1010);
  expect([...asked({ ...greedy, last: 2, allow }, rising, falling).tokens!]).toEqual([3, 1]);
  const { top } = asked({ kind: "top", k: 3, last: 2, allow }, rising, falling);
  expect([...top!.ids]).toEqual([3, 1, -1, 1, 3, -1]);
  expect(top!.logSumExp[0]).toBeCloseTo(Math.log(Math.exp(0.5) + Math.exp(1.5)), 5);
});

test("nothing is the best of numbers that overflowed, nor where nothing is allowed", () => {
  const overflowed = rising.map(() => Number.NaN);
  expect([...asked({ ...greedy, last: 2 }, overflowed, rising).tokens!]).toEqual([-1, VOCAB - 1]);
  expect([...asked({ ...greedy, last: 1, allow: new Uint32Array(1) }, rising).tokens!]).toEqual([-1]);
});
