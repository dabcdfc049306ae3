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

test.each(["fmt_fp16", "gpt_bigcode_mha"])("%s: halves are widened, each once", async (name) => {
  using built = await buildGolden(name);
  const floats = built.graph.weights.reduce(
    (sum, { value }) => sum + value.type.shape.reduce((size: number, dim) => size * Number(dim), 4),
    0,
  );
  const bytes = await written(name);
  expect(bytes).toBeGreaterThanOrEqual(floats);
  expect(bytes).toBeLessThan(floats + 4096 * (built.graph.weights.length + 1)); // each may begin on a page of its own
});
