import type { Tensor } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import type { Attrs } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { intTensor, maxDifference, randomFloats } from "../testing/random.ts";
import { after, graphAfter, runToy, weightsFor } from "../testing/run-toy.ts";
import { toyDecoder } from "../testing/toy.ts";

const toy = toyDecoder();

describe("split-blocks", () => {
  it("makes a net of each block, each with what it needs and no more", () => {
    const { nets, moves } = after(toy, "split-blocks");
    expect(nets.map(({ id }) => id)).toEqual(["embedding", "block_0", "block_1", "lm_head"]);
    expect(nets[1]!.graph.inputs.map(({ id }) => id)).toEqual(["positions", "slots", "embedding.embed"]);
    expect(nets[1]!.graph.weights.map(({ value }) => value.id)).toEqual(
      ["0.norm1", "0.q", "0.k", "0.v", "0.norm2", "0.o", "0.gate", "0.up", "0.down"].sort(
        (a, b) => order(a) - order(b),
      ),
    );
    expect(moves.map(({ from, to }) => `${from.net} → ${to.net}`)).toEqual([
      "embedding → block_0",
      "block_0 → block_1",
      "block_1 → lm_head",
    ]);
    expect(nets[3]!.graph.outputs.map(({ id }) => id)).toEqual(["logits"]);
  });

  it.each<[string, (string | readonly [string, Attrs])[], string?]>([
    ["as built", []],
    ["with a retained cache, whose masks the blocks share", ["pad", ["cache-form", { form: "scatter" }]]],
    ["shared across blocks", ["pad", "lower", ["share", { across: true }]]],
    ["masks a net of their own", ["pad", ["cache-form", { form: "scatter" }]], "net"],
  ])("run one after another, nets do what the whole did, %s", (_, steps, shared = "copy") => {
    const whole = graphAfter(toy, ...steps);
    const { nets, moves } = after(toy, ...steps, ["split-blocks", { shared }]);
    expect(nets.some(({ id }) => id === "shared")).toBe(shared === "net");
    const isPadded = steps.includes("pad");
    const shape = isPadded ? [2, 3] : [6];
    const given: Record<string, Tensor> = {
      ids: intTensor(shape, [3, 1, 4, 1, 5, 9]),
      positions: intTensor(shape, [0, 1, 2, 0, 1, 2]),
      slots: intTensor(shape, [0, 0, 0, 1, 1, 1]),
      rows: intTensor([2], [2, 5]),
    };
    const made = new Map<string, Tensor>();
    for (const { id, graph } of nets) {
      const moved = (name: string) => {
        const move = moves.find(({ to }) => to.net === id && to.input === name);
        return move && made.get(`${move.from.net} ${move.from.output}`);
      };
      const inputs = Object.fromEntries(graph.inputs.map((v) => [v.id, (moved(v.id) ?? given[v.id])!]));
      const states = new Map(
        graph.states.map(({ value }) => {
          const sizes: Record<string, number> = { batch: 2, context: 8 };
          const dims = value.type.shape.map((d) => (typeof d === "number" ? d : sizes[d]!));
          return [value.id, randomFloats(() => Number.NaN, dims)];
        }),
      );
      const { outputs } = interpret(graph, { inputs, weights: weightsFor(graph), states, sizes: { context: 8 } });
      for (const [name, tensor] of Object.entries(outputs)) made.set(`${id} ${name}`, tensor);
    }
    expect(maxDifference(made.get("lm_head logits")!, runToy(whole).logits!)).toBe(0);
  });
});

/** Where a weight is first used. */
function order(id: string): number {
  return toy.weights.findIndex(({ value }) => value.id === id);
}
