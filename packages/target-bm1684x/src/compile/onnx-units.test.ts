import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { corePasses, programOf, runPipeline } from "@llm/core-ir";
import { readOnnx } from "@llm/exporter";
import { expect, test } from "vitest";
import { bm1684xTarget } from "../bm1684x-target.ts";
import { FAMILIES } from "../testing/families.ts";
import { optionsOf } from "../testing/options.ts";
import { randomModel } from "../testing/random-model.ts";

test("an export has a file for each net, named and ordered as the vendor's scripts want them, its weights not quantised", async () => {
  const { graph, source } = randomModel(FAMILIES.llama!, 1);
  const options = optionsOf({ mode: "int4", ctxLen: 16 });
  const passes = [...corePasses, ...(bm1684xTarget.passes ?? [])];
  const program = runPipeline(programOf(graph), bm1684xTarget.pipeline(graph, options), { passes });
  const folder = mkdtempSync(join(tmpdir(), "llm-bm1684x-onnx-"));
  try {
    const units = bm1684xTarget.exports!(program, options);
    const heads = ["greedy_head", "lm_head", "sample_head"];
    expect(units.map(({ id }) => id).sort()).toEqual([
      "block_0",
      "block_1",
      "block_cache_0",
      "block_cache_1",
      "embedding",
      "embedding_cache",
      ...heads,
    ]);
    const unit = units.find(({ id }) => id === "block_cache_1")!;
    mkdirSync(join(folder, unit.id));
    await bm1684xTarget.build(unit, {
      folder: join(folder, unit.id),
      source,
      signal: new AbortController().signal,
      input: () => "",
      progress() {},
      linked() {},
      measured() {},
    });
    expect(readdirSync(join(folder, unit.id)).sort()).toEqual(["block_cache_1.onnx", "block_cache_1.onnx.data"]);
    const { inputs, outputs, initializers } = await readOnnx(join(folder, unit.id, "block_cache_1.onnx"));
    expect(inputs.map(({ name }) => name)).toEqual([
      "input_states",
      "position_ids",
      "attention_mask",
      "history_k",
      "history_v",
    ]);
    expect(outputs.map(({ name }) => name)).toEqual(["output_states", "k_cache", "v_cache"]);
    expect(new Set(initializers.map(({ type }) => type))).not.toContain("uint8");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
