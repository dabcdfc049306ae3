import { openCheckpoint } from "@llm/checkpoint";
import { MeshReference, ReferenceModel } from "@llm/core-ir";
import { goldenDir, goldenNames, readGolden } from "@llm/fixtures";
import { read, type Tensor } from "@llm/tensor";
import { expect, test } from "vitest";
import { apart } from "../testing/mesh-answers.ts";
import { goldenGraph } from "../testing/open-golden.ts";

// The passes alone, by the interpreter: every model is split as it is on workers, without any runtime's kernels.
test.each(goldenNames())("%s: ranks and stages say what the whole model says", async (name) => {
  const checkpoint = await openCheckpoint(goldenDir(name));
  try {
    const graph = goldenGraph(name, "config.json", (tensor) => checkpoint.weights.get(tensor)?.shape);
    const weights = new Map<string, Tensor>();
    for (const { value, expr } of graph.weights) weights.set(value.id, await read(expr, checkpoint.weights, "f32"));
    const tokens = readGolden(name).prompts[0]!.input_ids;
    const [whole] = new ReferenceModel(graph, weights).step([{ slot: 0, at: 0, tokens }]);
    for (const mesh of [{ mp: 2 }, { mp: 4 }, { mp: 3, pp: 2 }]) {
      const shared = await MeshReference.open(graph, mesh, (expr) => read(expr, checkpoint.weights, "f32"));
      const ranks = shared.step([{ slot: 0, at: 0, tokens }]);
      expect(ranks).toHaveLength(mesh.mp);
      for (const [logits] of ranks) expect(apart(logits!, whole!.logits), JSON.stringify(mesh)).toBeLessThan(1e-4);
      for (const [logits] of ranks) expect(logits).toEqual(ranks[0]![0]); // the same bits on all
    }
  } finally {
    await checkpoint.close();
  }
});
