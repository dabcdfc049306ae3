import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, openCheckpoint } from "@llm/checkpoint";
import { copyGolden, readGolden } from "@llm/fixtures";
import { architectureFor, architectures, Config } from "@llm/models";
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { storageOf } from "../convert/storage.ts";
import { toOnnx } from "../convert/to-onnx.ts";
import { readOnnx } from "../read/read-onnx.ts";
import { GOLDEN_MODELS } from "../testing/golden-models.ts";
import { writeOnnx } from "../write/write-onnx.ts";
import { transformersInterface } from "./transformers-interface.ts";

const root = mkdtempSync(join(tmpdir(), "golden-onnx-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function exported(name: string, cache: boolean): Promise<{ file: string; whole: boolean; copied: number }> {
  const golden = readGolden(name);
  const checkpoint: Checkpoint = await openCheckpoint(copyGolden(name, join(root, "checkpoints")), {
    overrides: golden.overrides ?? {},
  });
  try {
    const architecture = architectureFor(checkpoint.config);
    const decoder = architecture.build(
      new Config(checkpoint.config),
      (tensor) => checkpoint.weights.get(tensor)?.shape,
    );
    const graph = transformersInterface(decoder, { cache });
    const model = toOnnx(graph, { storage: storageOf(graph, checkpoint.weights) });
    const folder = join(root, `${name}-${cache}`);
    const { files } = await writeOnnx(model, { folder, name: "model", source: checkpoint.weights });
    return {
      file: join(folder, "model.onnx"),
      whole: decoder.inputs.some(({ id }) => id === "reach"),
      copied: files.find(({ path }) => path === "model.onnx.data")?.bytes ?? 0,
    };
  } finally {
    await checkpoint.close();
  }
}

type Feeds = Record<string, ort.Tensor>;

const int64 = (values: readonly number[]) =>
  new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);

/** What the model says after each of `ids`, which follow what `past` holds. */
async function step(session: ort.InferenceSession, ids: readonly number[], past: Feeds, start: number): Promise<Feeds> {
  const feeds: Feeds = { input_ids: int64(ids), attention_mask: int64(Array(start + ids.length).fill(1)), ...past };
  if (session.inputNames.includes("position_ids")) feeds.position_ids = int64(ids.map((_, i) => start + i));
  return (await session.run(feeds)) as Feeds;
}

function emptyPast(file: string): Feeds {
  const past = readOnnx(file).inputs.filter(({ name }) => name.startsWith("past_key_values."));
  return Object.fromEntries(
    past.map(({ name, shape }) => [
      name,
      new ort.Tensor(
        "float32",
        new Float32Array(0),
        shape.map((dim) => (dim === "batch_size" ? 1 : dim === "past_sequence_length" ? 0 : Number(dim))),
      ),
    ]),
  );
}

function nextPast(outputs: Feeds): Feeds {
  return Object.fromEntries(
    Object.entries(outputs)
      .filter(([name]) => name.startsWith("present."))
      .map(([name, value]) => [name.replace("present", "past_key_values"), value]),
  );
}

/** The last row's best token and its log-probability. */
function best({ data, dims }: ort.Tensor): { id: number; logprob: number } {
  const vocab = dims.at(-1)!;
  const row = Array.from((data as Float32Array).subarray(data.length - vocab));
  const most = Math.max(...row);
  return { id: row.indexOf(most), logprob: -Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) };
}

/** Bytes of weights that can't stay in the checkpoint's file; all others can. */
const COPIED: Readonly<Record<string, number>> = {
  baichuan2_7b: 1216, // norms of the head's rows, which are computed
  baichuan2_13b: 1216,
  fmt_bin: 9216, // one tensor lies transposed in its storage
  fmt_bin_legacy_gpt2: 9216,
  fmt_bin_sharded: 9216,
  quant_awq: 245760, // standard ONNX has no op for 4-bit weights
  quant_gptq: 245760,
  quant_gptq_v2: 245760,
};

describe.each(GOLDEN_MODELS)("$name in standard ONNX", ({ name }) => {
  const { prompts } = readGolden(name);

  test("continues the golden prompts, with a cache", async () => {
    const { file, whole, copied } = await exported(name, true);
    expect(copied).toBe(COPIED[name] ?? 0);
    expect(readOnnx(file).ops.filter(({ domain }) => domain !== "")).toEqual([]);
    const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
    for (const { input_ids, greedy, greedy_logprobs } of prompts) {
      // The prompt in two pieces, then token by token. Where its length decides, pieces wouldn't know it.
      const cut = whole ? 0 : Math.ceil(input_ids.length / 2);
      const past =
        cut === 0 ? emptyPast(file) : nextPast(await step(session, input_ids.slice(0, cut), emptyPast(file), 0));
      let outputs = await step(session, input_ids.slice(cut), past, cut);
      for (const [i, token] of greedy.entries()) {
        const { id, logprob } = best(outputs.logits);
        expect(id).toBe(token);
        expect(Math.abs(logprob - greedy_logprobs[i])).toBeLessThan(1e-3);
        outputs = await step(session, [id], nextPast(outputs), input_ids.length + i);
      }
    }
    await session.release();
  });

  test("says the same of the whole text at once, without a cache", async () => {
    const { file } = await exported(name, false);
    expect(readOnnx(file).inputs.every((input) => !input.name.startsWith("past"))).toBe(true);
    const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
    for (const { input_ids, greedy } of prompts) {
      const { logits } = await step(session, [...input_ids, ...greedy], {}, 0);
      const [, , vocab] = logits.dims;
      for (const [i, token] of greedy.entries()) {
        const at = input_ids.length - 1 + i;
        const row = (logits.data as Float32Array).subarray(at * vocab, (at + 1) * vocab);
        expect(row.indexOf(Math.max(...row))).toBe(token);
      }
    }
    await session.release();
  });
});

test("every architecture is among them", () => {
  const shown = new Set(GOLDEN_MODELS.map(({ architecture }) => architecture));
  expect(architectures.map(({ id }) => id).filter((id) => !shown.has(id))).toEqual([]);
});
