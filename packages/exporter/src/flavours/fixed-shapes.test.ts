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
import { readOnnx } from "../read/read-onnx.ts";
import { writeOnnx } from "../write/write-onnx.ts";
import { transformersInterface } from "./transformers-interface.ts";

const root = mkdtempSync(join(tmpdir(), "fixed-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Rows of this many tokens, the text at their end. */
const WIDTH = 40;

describe.each(["gpt2", "llama_gqa_llama3", "bloom", "mistral_swa"])("%s with fixed shapes", (name) => {
  test("says the same of two padded rows, and computes no shape", async () => {
    const { config, weights, close } = await openCheckpoint(copyGolden(name, join(root, "checkpoints")));
    const graph = transformersInterface(architectureFor(config).build(new Config(config)), { cache: false });
    const sizes = { batch_size: 2, sequence_length: WIDTH };
    const fixed = runPipeline(programOf(graph), [{ pass: "specialise", params: { sizes } }], { passes: corePasses });
    const model = toOnnx(fixed.nets[0].graph, { storage: storageOf(fixed.nets[0].graph, weights) });
    await writeOnnx(model, { folder: root, name, source: weights });
    await close();

    const file = join(root, `${name}.onnx`);
    const summary = readOnnx(file);
    expect(summary.ops.filter(({ op }) => op === "Shape" || op === "Range")).toEqual([]);
    expect([...summary.inputs, ...summary.outputs].flatMap(({ shape }) => shape).every(Number.isInteger)).toBe(true);

    const { prompts } = readGolden(name);
    const rows = prompts.map(({ input_ids, greedy }) => [...input_ids, ...greedy].slice(-WIDTH));
    const table = (of: (row: readonly number[]) => readonly number[]) =>
      new ort.Tensor("int64", BigInt64Array.from(rows.flatMap(of), BigInt), [2, WIDTH]);
    const padded = (row: readonly number[], fill: number) => [...Array(WIDTH - row.length).fill(fill), ...row];
    const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
    const feeds: Record<string, ort.Tensor> = {
      input_ids: table((row) => padded(row, 0)),
      attention_mask: table((row) =>
        padded(
          row.map(() => 1),
          0,
        ),
      ),
      position_ids: table((row) => padded([...row.keys()], 0)),
    };
    for (const given of Object.keys(feeds)) if (!session.inputNames.includes(given)) delete feeds[given];
    const { logits } = await session.run(feeds);
    await session.release();
    const vocab = logits.dims[2];
    for (const [index, { input_ids, greedy }] of prompts.entries()) {
      expect(input_ids.length + greedy.length).toBeLessThanOrEqual(WIDTH); // so that nothing was cut off
      greedy.forEach((token, i) => {
        const at = index * WIDTH + WIDTH - greedy.length - 1 + i;
        const row = (logits.data as Float32Array).subarray(at * vocab, (at + 1) * vocab);
        expect(row.indexOf(Math.max(...row))).toBe(token);
      });
    }
  });
});
