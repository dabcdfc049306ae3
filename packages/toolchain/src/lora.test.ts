import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTensorFile } from "@llm/checkpoint";
import { goldenDir, loraDir, loraNames } from "@llm/fixtures";
import { Scheduler } from "@llm/generate";
import { read, weights } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { openModel } from "./open-model.ts";
import { openRunnable } from "./open-runnable.ts";
import { scratch } from "./testing/scratch.ts";

const { env } = scratch();

interface Expected {
  readonly input_ids: readonly number[];
  readonly greedy: readonly number[];
}

async function expectedOf(name: string): Promise<Expected & { readonly logits: Float32Array }> {
  const json = JSON.parse(await readFile(join(loraDir(name), "expected.json"), "utf8")) as Expected;
  const arrays = await openTensorFile(join(loraDir(name), "expected.safetensors"));
  const { shape } = arrays.get("logits")!;
  const { data } = await read(weights.tensor("logits", shape), arrays, "f32");
  await arrays.close();
  return { ...json, logits: data as Float32Array };
}

function worst(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

describe.each(loraNames())("a LoRA adapter of %s", (name) => {
  it("merged at opening gives what transformers and PEFT give", async () => {
    const { input_ids, greedy, logits } = await expectedOf(name);
    const runnable = await openRunnable(goldenDir(name), { env, lora: loraDir(name) });
    const scheduler = new Scheduler(runnable.session);
    try {
      const { vocab } = runnable.session.limits;
      const seen = new Float32Array(logits.length);
      const onRows = (values: Float32Array, at: number): void => seen.set(values, at * vocab);
      await scheduler.read({ tokens: input_ids, kind: "logits", from: 0, onRows }).done;
      expect(worst(seen, logits)).toBeLessThan(1e-4);
      const { tokens } = await scheduler.submit({ prompt: input_ids, maxNewTokens: greedy.length }).done;
      expect(Array.from(tokens)).toEqual(greedy);
    } finally {
      await scheduler.close();
      await runnable.close();
    }
  });

  it("beside the weights gives the same, to those who ask for it", async () => {
    const { input_ids, greedy, logits } = await expectedOf(name);
    const folders = { style: loraDir(name) };
    const runnable = await openRunnable(goldenDir(name), { env, adapters: folders, batchSize: 3 });
    expect(runnable.adapters).toEqual({ style: 1 });
    const scheduler = new Scheduler(runnable.session);
    try {
      const { vocab } = runnable.session.limits;
      const read = async (adapter: number): Promise<Float32Array> => {
        const seen = new Float32Array(logits.length);
        const onRows = (values: Float32Array, at: number): void => seen.set(values, at * vocab);
        await scheduler.read({ tokens: input_ids, kind: "logits", from: 0, adapter, onRows }).done;
        return seen;
      };
      const [without, style] = await Promise.all([read(0), read(1)]);
      expect(worst(style, logits)).toBeLessThan(1e-4);
      expect(worst(without, logits)).toBeGreaterThan(1e-2);

      // What one of them left in the cache is of no use to the other; guesses are judged by the row's own adapter.
      const request = { prompt: input_ids, maxNewTokens: greedy.length };
      const said = async (adapter: number, speculate = false): Promise<readonly number[]> =>
        Array.from((await scheduler.submit({ ...request, adapter, speculate, prediction: greedy }).done).tokens);
      const plain = await said(0);
      expect(plain).not.toEqual(greedy);
      expect(await said(1)).toEqual(greedy);
      expect(await said(0)).toEqual(plain);
      expect(await said(1, true)).toEqual(greedy);
      expect(await said(0, true)).toEqual(plain);
      expect(await Promise.all([said(0), said(1), said(0)])).toEqual([plain, greedy, plain]);
    } finally {
      await scheduler.close();
      await runnable.close();
    }
  });

  it("reads any part of a sum as it reads the whole, and leaves the other tensors where they are", async () => {
    const plain = await openModel(goldenDir(name));
    const model = await openModel(goldenDir(name), { lora: loraDir(name) });
    expect(model.weights.fingerprint).not.toBe(plain.weights.fingerprint);
    let sums = 0;
    for (const tensor of model.weights.names()) {
      const stored = model.weights.get(tensor)!;
      if (!stored.computed) {
        expect(stored).toEqual(plain.weights.get(tensor));
        continue;
      }
      sums++;
      const span = stored.parts.data!;
      const whole = new Uint8Array(span.length);
      await model.weights.read(span, whole);
      const part = new Uint8Array(100);
      await model.weights.read({ ...span, offset: 52, length: 100 }, part);
      expect(part).toEqual(whole.subarray(52, 152));
    }
    expect(sums).toBeGreaterThan(3);
    await model.close();
    await plain.close();
  });
});

describe("adapters that can't be added", () => {
  const name = "llama_gqa_llama3";

  async function changed(change: Record<string, unknown>, work: (folder: string) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "lora-"));
    try {
      await cp(loraDir(name), folder, { recursive: true });
      const file = join(folder, "adapter_config.json");
      await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), ...change }));
      await work(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it.each<[Record<string, unknown>, string]>([
    [{ peft_type: "IA3" }, "peft_type is IA3; only LORA is read"],
    [{ use_dora: true }, "use_dora is set, which is not supported"],
    [
      {
        layer_replication: [
          [0, 2],
          [1, 3],
        ],
      },
      "layer_replication is set, which is not supported",
    ],
    ...["pissa", "pissa_niter_16", "olora", "corda", "loftq", "lora_ga"].map(
      (init): [Record<string, unknown>, string] => [
        { init_lora_weights: init },
        `init_lora_weights is ${init}, so this adapter belongs to weights that its training changed`,
      ],
    ),
    [{ lora_alpha: "8" }, "lora_alpha must be a number"],
    [{ alpha_pattern: { "q_proj|v_proj": 4 } }, "alpha_pattern q_proj|v_proj is more than a name"],
  ])("%j is refused by name", (change, message) =>
    changed(change, (folder) => expect(openModel(goldenDir(name), { lora: folder })).rejects.toThrow(message)),
  );

  it.each([true, false, "gaussian", "eva", "orthogonal"])("begun with %s is none of them", (init_lora_weights) =>
    changed({ init_lora_weights, target_parameters: [] }, async (folder) =>
      (await openModel(goldenDir(name), { lora: folder })).close(),
    ),
  );

  it("at run time are refused by targets and artefacts that take none, by name", async () => {
    const adapters = { style: loraDir(name) };
    await expect(openRunnable(goldenDir(name), { env, target: "null", adapters })).rejects.toThrow(
      "adapter style: target null takes none at run time",
    );
    const made = await openRunnable(goldenDir(name), { env });
    await made.close();
    await expect(openRunnable(made.artefact, { env, adapters })).rejects.toThrow("was made without adapters");
  });

  it("one of another model is refused, and a folder without one", async () => {
    await expect(openModel(goldenDir("gpt_neox"), { lora: loraDir(name) })).rejects.toThrow("is for another model");
    await expect(openModel(goldenDir(name), { lora: goldenDir(name) })).rejects.toThrow("adapter_config.json");
  });
});
