import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { corePasses, programOf, runPipeline } from "@llm/core-ir";
import { copyGolden, readGolden } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { storageOf } from "../convert/storage.ts";
import { toOnnx } from "../convert/to-onnx.ts";
import { writeOnnx } from "../write/write-onnx.ts";

const root = mkdtempSync(join(tmpdir(), "blocks-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Every net of a split program in a file of its own, all in one folder; the checkpoint's file is there once. */
async function exported(name: string) {
  const { config, weights, close } = await openCheckpoint(copyGolden(name, join(root, "checkpoints")));
  const decoder = architectureFor(config).build(new Config(config));
  const program = runPipeline(programOf(decoder), [{ pass: "split-blocks" }], { passes: corePasses });
  const folder = join(root, name);
  const linked = new Set<string>();
  for (const { id, graph } of program.nets) {
    const model = toOnnx(graph, { storage: storageOf(graph, weights) });
    const { files } = await writeOnnx(model, { folder, name: id, source: weights });
    for (const { path, origin } of files) if (origin !== undefined) linked.add(path);
  }
  await close();
  return { program, folder, linked };
}

const int32 = (values: readonly number[]) => new ort.Tensor("int32", Int32Array.from(values), [values.length]);

describe.each(["gpt2", "gpt_bigcode_mqa", "llama_gqa_llama3", "bloom", "qwen2_moe"])("%s, block by block", (name) => {
  test("runs net after net, each with what the ones before it hand on", async () => {
    const { program, folder, linked } = await exported(name);
    expect([...linked]).toEqual(["model.safetensors"]);
    expect(program.nets.map(({ id }) => id).slice(0, 2)).toEqual(["embedding", "block_0"]);
    const { input_ids, greedy } = readGolden(name).prompts[0];
    const ids = [...input_ids, ...greedy];
    const all: Record<string, ort.Tensor> = {
      ids: int32(ids),
      positions: int32([...ids.keys()]),
      slots: int32(ids.map(() => 0)),
      rows: int32([...ids.keys()]),
    };
    for (const { id, graph } of program.nets) {
      const session = await ort.InferenceSession.create(join(folder, `${id}.onnx`), { logSeverityLevel: 3 });
      const feeds = Object.fromEntries(graph.inputs.map((input) => [input.id, all[input.id]]));
      Object.assign(all, await session.run(feeds));
      await session.release();
    }
    const [, vocab] = all.logits.dims;
    greedy.forEach((token, i) => {
      const at = input_ids.length - 1 + i;
      const row = (all.logits.data as Float32Array).subarray(at * vocab, (at + 1) * vocab);
      expect(row.indexOf(Math.max(...row))).toBe(token);
    });
  });
});
