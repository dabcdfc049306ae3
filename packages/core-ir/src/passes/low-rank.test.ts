import type { Tensor } from "@llm/tensor";
import { expect, it } from "vitest";
import { interpret } from "../interpret.ts";
import { intTensor, maxDifference, randomFloats, randomOf } from "../testing/random.ts";
import { graphAfter, runToy, weightsFor } from "../testing/run-toy.ts";
import { toyDecoder } from "../testing/toy.ts";
import { ADAPTERS_INPUT, lowRankInputs } from "./low-rank.ts";

const toy = toyDecoder();
const plain = runToy(toy).logits!;
const graph = graphAfter(toy, "pad", ["cache-form", { form: "none" }], "low-rank");
const places = lowRankInputs(graph.inputs.map(({ id }) => id));
const RANK = 2;

/** Two sequences, each with the adapter that is named; adapter 0 is nothing, and the others have every matrix. */
function run(adapters: readonly number[], matrices: ReadonlyMap<string, Tensor>): Tensor {
  const shape = [2, 3];
  const inputs: Record<string, Tensor> = {
    ids: intTensor(shape, [3, 1, 4, 1, 5, 9]),
    positions: intTensor(shape, [0, 1, 2, 0, 1, 2]),
    slots: intTensor(shape, [0, 0, 0, 1, 1, 1]),
    rows: intTensor([2], [2, 5]),
    [ADAPTERS_INPUT]: intTensor([2], [...adapters]),
    ...Object.fromEntries(matrices),
  };
  const given = Object.fromEntries(graph.inputs.map(({ id }) => [id, inputs[id]!]));
  return interpret(graph, { inputs: given, weights: weightsFor(toy), states: new Map() }).outputs.logits!;
}

/** Matrices of `count` adapters besides none, for every place. */
function random(count: number, rank: number): Map<string, Tensor> {
  const made = new Map<string, Tensor>();
  const next = randomOf(5);
  for (const { first, second } of places)
    for (const name of [first, second]) {
      const sizes: Record<string, number> = { adapters: count + 1 };
      const { shape } = graph.inputs.find(({ id }) => id === name)!.type;
      const sized = shape.map((dim) => (typeof dim === "number" ? dim : (sizes[dim] ?? rank)));
      const tensor = randomFloats(next, sized);
      (tensor.data as Float32Array).fill(0, 0, tensor.data.length / (count + 1));
      made.set(name, tensor);
    }
  return made;
}

it("gives every linear of rows a sum, and the head none", () => {
  expect(places.map(({ tensor }) => tensor)).toEqual(
    [0, 1].flatMap((block) => ["q", "k", "v", "o", "gate", "up", "down"].map((name) => `${block}.${name}`)),
  );
});

it("adds nothing for adapter 0, however wide the others are, nor for matrices of no rank", () => {
  expect(maxDifference(run([0, 0], random(2, RANK)), plain)).toBeLessThan(1e-6);
  expect(maxDifference(run([0, 0], random(0, 0)), plain)).toBe(0);
});

it("gives each row what merged weights give", () => {
  const matrices = random(2, RANK);
  const expected = [0, 2].map((adapter) => runToy(toy, merged(matrices, adapter)).logits!);
  const vocab = plain.shape[1]!;
  const mixed = run([0, 2], matrices);
  for (const [row, { data }] of expected.entries()) {
    const part = (of: Tensor["data"]) => ({ ...mixed, shape: [vocab], data: of.slice(row * vocab, (row + 1) * vocab) });
    expect(maxDifference(part(mixed.data) as Tensor, part(data) as Tensor)).toBeLessThan(1e-4);
  }
  expect(maxDifference(mixed, plain)).toBeGreaterThan(0.1);
});

/** The toy's weights with one adapter's products added. */
function merged(matrices: ReadonlyMap<string, Tensor>, adapter: number): Map<string, Tensor> {
  const weights = weightsFor(toy);
  for (const { tensor, first, second } of places) {
    const w = weights.get(tensor)!;
    const [to, from] = w.shape as [number, number];
    const [a, b] = [matrices.get(first)!.data, matrices.get(second)!.data] as [Float32Array, Float32Array];
    const sum = Float32Array.from(w.data as Float32Array, (x, at) => {
      const [o, i] = [Math.floor(at / from), at % from];
      for (let r = 0; r < RANK; r++) x += a[(adapter * from + i) * RANK + r]! * b[(adapter * RANK + r) * to + o]!;
      return x;
    });
    weights.set(tensor, { ...w, data: sum });
  }
  return weights;
}

it("needs rows", () => {
  expect(() => graphAfter(toy, "low-rank")).toThrow(/pad comes first/);
});
