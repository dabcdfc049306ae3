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

test.each(["fmt_fp16", "gpt_bigcode_mha"])(
  "%s: halves that are multiplied by are widened, each once, and tables are halves",
  async (name) => {
    using built = await buildGolden(name);
    const { ops, weights } = built.graph;
    const operands = ops.flatMap(({ kind, ins }) => ins.slice(kind === "embed" ? 1 : 0));
    const multiplied = new Set(operands.map((value) => value?.id));
    const wanted = weights.reduce((sum, { value: { id, type } }) => {
      const bytes = multiplied.has(id) ? 4 : 2;
      return sum + type.shape.reduce((size: number, dim) => size * Number(dim), bytes);
    }, 0);
    const bytes = await written(name);
    expect(bytes).toBeGreaterThanOrEqual(wanted);
    expect(bytes).toBeLessThan(wanted + 4096 * (weights.length + 1)); // each may begin on a page of its own
  },
);

test("a shard's weights stay in the checkpoint's file, whatever its share", async () => {
  using built = await buildGolden("llama_gqa_llama3", { options: { mesh: "1x2" } });
  const { files } = built.artefact.manifest;
  expect(files.filter((file) => "link" in file).length).toBeGreaterThan(0);
});

test.each(["fp32", "int8"])("%s: a checkpoint isn't held on to for a table", async (format) => {
  using built = await buildGolden("fmt_fp16", { format });
  expect(built.artefact.manifest.files.filter((file) => "link" in file)).toEqual([]);
});
