import { expect, test } from "vitest";
import { buildGolden } from "../testing/open-golden.ts";

/** Files of an artefact, less the model itself, that are not the checkpoint's own. */
async function written(name: string): Promise<number> {
  using built = await buildGolden(name);
  return built.artefact.manifest.files
    .filter((file) => "sha256" in file && file.path !== "decoder.onnx")
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

test.each(["gpt_bigcode_mqa", "santacoder", "gpt2", "llama_gqa_llama3", "bloom", "fmt_sharded"])(
  "%s: no float32 weight is copied",
  async (name) => {
    expect(await written(name)).toBe(0);
  },
);

test.each(["fmt_fp16", "gpt_bigcode_mha"])("%s: halves that are multiplied by are widened, each once", async (name) => {
  using built = await buildGolden(name);
  const { ops, weights } = built.graph;
  const multiplied = new Set(
    ops.flatMap(({ kind, ins }) => ins.slice(kind === "embed" ? 1 : 0)).map((value) => value?.id),
  );
  const floats = weights
    .filter(({ value }) => multiplied.has(value.id))
    .reduce((sum, { value }) => sum + value.type.shape.reduce((size: number, dim) => size * Number(dim), 4), 0);
  const bytes = await written(name);
  expect(bytes).toBeGreaterThanOrEqual(floats);
  expect(bytes).toBeLessThan(floats + 4096 * (weights.length + 1)); // each may begin on a page of its own
});

test("a model of packed weights doesn't hold on to a checkpoint for a table", async () => {
  using built = await buildGolden("fmt_fp16", { format: "int8" });
  expect(built.artefact.manifest.files.filter((file) => "link" in file)).toEqual([]);
});
