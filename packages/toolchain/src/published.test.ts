import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { goldenDir, readGolden } from "@llm/fixtures";
import { describe, expect, it } from "vitest";
import { exportForTransformersJs } from "./export-onnx.ts";
import { Generator } from "./generator.ts";
import { openModel } from "./open-model.ts";
import { openRunnable } from "./open-runnable.ts";
import { scratch } from "./testing/scratch.ts";

const { folder, env } = scratch();

/** A folder as transformers.js downloads it: config, tokenizer and ONNX files, and nothing of the checkpoint's own. */
async function published(
  checkpoint: string,
  name: string,
  dtypes: readonly ("fp32" | "fp16")[] = ["fp32"],
): Promise<string> {
  const out = join(folder, name);
  const model = await openModel(checkpoint, { name });
  await exportForTransformersJs(model, { folder: out, copy: true, dtypes });
  await model.close();
  rmSync(join(out, "model.safetensors"), { force: true });
  return out;
}

describe("a folder made for transformers.js", () => {
  // Keys and values apart, and as one tensor; a window; biases instead of positions.
  it.each(["llama_gqa_llama3", "gpt_bigcode_mqa", "gpt2", "qwen2", "bloom"])(
    "runs as the checkpoint does: %s",
    async (name) => {
      const golden = readGolden(name);
      const { session, close } = await openRunnable(await published(goldenDir(name), name), { env });
      try {
        for (const { input_ids: ids, greedy } of golden.prompts.slice(0, 2) as unknown as {
          input_ids: number[];
          greedy: number[];
        }[]) {
          const said: number[] = [];
          let next = Int32Array.from(ids);
          for (
            let at = 0;
            said.length < greedy.length;
            at += next.length, next = Int32Array.of(said[said.length - 1])
          ) {
            const [{ logits }] = await session.step([{ slot: 0, at, tokens: next, want: { kind: "logits", last: 1 } }]);
            said.push(logits!.indexOf(logits!.reduce((a, b) => Math.max(a, b))));
          }
          expect(said).toEqual(greedy);
          await session.trim(0, 0);
        }
      } finally {
        await close();
      }
    },
  );

  it("goes back, forks and batches as the checkpoint's own session does", async () => {
    const out = await published(demoModelFolder, "demo");
    const ask = async (model: string) => {
      const generator = await Generator.fromPretrained(model, { env, batchSize: 3 });
      const options = { maxNewTokens: 12, temperature: 0 };
      const answers = await generator.generate(["def add(", "def add(a, b", "import os"], options);
      // Finds the first prompt's beginning in the cache and goes on from its middle.
      answers.push(await generator.generate("def add(a, c", options));
      await generator.close();
      return answers.map(({ text }) => text);
    };
    expect(await ask(out)).toEqual(await ask("demo"));
    expect(await ask(join(out, "onnx", "model.onnx"))).toEqual(await ask("demo"));
  });

  it("gives other weights where they were published, and says where they weren't", async () => {
    const out = await published(demoModelFolder, "halves", ["fp16"]);
    const generator = await Generator.fromPretrained(out, { env, targetOptions: { format: "fp16" } });
    expect((await generator.generate("def add(", { maxNewTokens: 4 })).tokens).toHaveLength(4);
    await generator.close();
    await expect(openRunnable(out, { env, targetOptions: { format: "int4" } })).rejects.toThrow(
      /no ONNX file with such weights/,
    );
  });

  it("refuses what only shapes what is built here", async () => {
    const out = await published(demoModelFolder, "as-it-is");
    const opened = (targetOptions: Readonly<Record<string, unknown>>) => openRunnable(out, { env, targetOptions });
    for (const given of [{ kvFormat: "int8" }, { emulate: true }, { activations: "bf16" }, { mesh: "2x1" }])
      await expect(opened(given)).rejects.toThrow(/: an ONNX file is run as it was published; give the checkpoint/);
    const { session, close } = await opened({ mesh: "1x1", kvFormat: "fp32", ctxLen: 32 });
    expect(session.limits.context).toBe(32);
    await close();
  });

  it("takes no lasting setting for what only shapes what is built here, nor what is said beside it as a draft", async () => {
    const out = await published(demoModelFolder, "with-settings");
    const targetSettings = { kvFormat: "int8", format: "int4", ctxLen: 32 };
    const { session, close } = await openRunnable(out, { env, targetSettings });
    expect(session.limits.context).toBe(32);
    await close();
    const targetOptions = { kvFormat: "int8", format: "int4" };
    const generator = await Generator.fromPretrained("demo", { env, draftModel: out, targetOptions });
    await generator.close();
  });

  it("says of a broken download to get it again: nobody built it", async () => {
    const out = await published(demoModelFolder, "broken");
    const file = join(out, "onnx", "model.onnx");
    rmSync(file);
    writeFileSync(file, "half of it");
    await expect(openRunnable(out, { env })).rejects.toMatchObject({
      code: "artefact-damaged",
      message: expect.stringMatching(/model\.onnx: ONNX Runtime refuses this model: .*; download it again$/),
    });
  });
});
