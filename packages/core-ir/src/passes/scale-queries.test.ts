import type { Tensor } from "@llm/tensor";
import { expect, it } from "vitest";
import { Builder } from "../builder.ts";
import type { Graph } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { intTensor, maxDifference, randomFloats, randomOf } from "../testing/random.ts";
import { graphAfter } from "../testing/run-toy.ts";

const [TOKENS, HEADS, DIM] = [5, 4, 6];
const SCALE = 1 / Math.sqrt(DIM);
const slopes = [0.5, 0.25, 0.125, 0.0625];

type Rules = Parameters<Builder["attention"]>[1];

function attending(rules: Rules): Graph {
  const b = new Builder("attends");
  const [q, k, v] = ["q", "k", "v"].map((name) => b.input(name, "f32", [TOKENS, HEADS, DIM]));
  const positions = b.input("positions", "i32", [TOKENS]);
  const slots = b.input("slots", "i32", [TOKENS]);
  b.output(b.attention({ q: q!, k: k!, v: v!, positions, slots }, rules), "out");
  return b.finish();
}

function outOf(graph: Graph): Tensor {
  const random = randomOf(3);
  const [q, k, v] = [0, 1, 2].map(() => randomFloats(random, [TOKENS, HEADS, DIM])) as [Tensor, Tensor, Tensor];
  const positions = intTensor([TOKENS], [0, 1, 2, 3, 4]);
  const slots = intTensor([TOKENS], [0, 0, 0, 0, 0]);
  return interpret(graph, { inputs: { q, k, v, positions, slots }, weights: new Map() }).outputs.out!;
}

it.each<[string, Rules]>([
  ["plain", { scale: SCALE }],
  ["capped", { scale: SCALE, softcap: 2 }],
  ["biased by distance", { scale: SCALE, alibi: { slopes, anchor: "relative" } }],
  ["biased by key", { scale: SCALE, alibi: { slopes, anchor: "key" } }],
  [
    "biased by key, rounded",
    { scale: SCALE, alibi: { slopes: slopes.map((x) => x / 3), anchor: "key", round: "bf16" } },
  ],
])("scales queries and changes nothing: %s", (_, rules) => {
  const graph = attending(rules);
  const scaled = graphAfter(graph, "scale-queries");
  expect(maxDifference(outOf(scaled), outOf(graph))).toBeLessThan(1e-5);
  // What is left for the scores is at most what a rounded bias doesn't allow: less than a doubling.
  const left = scaled.ops.find(({ kind }) => kind === "attention")!.attrs.scale as number;
  expect(left).toBeGreaterThan(0.7);
  expect(left).toBeLessThan(1.5);
});
