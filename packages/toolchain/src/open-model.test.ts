import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goldenDir, readGoldenConfig } from "@llm/fixtures";
import { describe, expect, it } from "vitest";
import { inspect } from "./inspect.ts";
import { openModel, unreadNote } from "./open-model.ts";
import { planModel } from "./plan.ts";
import { resolveModel } from "./resolve-model.ts";
import { findTarget } from "./targets.ts";
import { writeSafetensors } from "./write-safetensors.ts";

describe("opening models", () => {
  it("knows what they are from their config", async () => {
    const model = await openModel(goldenDir("llama_gqa_llama3"));
    expect(model.card).toMatchObject({
      name: "llama_gqa_llama3",
      architecture: "llama",
      blocks: model.graph.blocks.length - 2,
    });
    const stored = model.checkpoint.describe();
    expect(model.card.parameters).toBe(stored.parameters);
    expect(model.unread).toEqual([]);
    expect(unreadNote(model)).toBeUndefined();
    expect(unreadNote({ ...model, unread: ["a", "b"] })).toMatch(/^config\.json: nobody reads a, b; /);
    await model.close();
  });

  it("sets fields of the config, and says which text isn't one", async () => {
    const path = goldenDir("gpt2");
    const model = await openModel(path, { config: ["n_positions=32"] }).catch((error: Error) => error);
    expect(model).toMatchObject({
      code: "model-mismatch",
      message: expect.stringMatching(/wpe\.weight is \[\d+, \d+\], not \[32, \d+\]/),
    });
    await expect(openModel(path, { config: ["n_positions"] })).rejects.toMatchObject({ code: "option-invalid" });
  });

  it("tells a config without weights from a checkpoint, and plans with it", async () => {
    const { target } = await findTarget("cpu");
    const upTo = (max: number): typeof target => ({
      ...target,
      options: { ...target.options, batchSize: { kind: "number", doc: "", default: 1, max, shapes: false } },
    });
    const { plan, card } = await planModel("demo", upTo(1e9), { batchSize: "max" });
    expect(plan.fits).toBe(true);
    expect(card.context).toBe(1024);
    const { plan: more } = await planModel("demo", upTo(1e9), { batchSize: plan.maxBatchSize + 1 });
    expect(more.fits).toBe(false);
    expect((await planModel("demo", upTo(3), { batchSize: "max" })).options.batchSize).toBe(3);
  });
});

describe("a GGUF file", () => {
  const fixture = new URL("../../checkpoint/fixtures/gguf/llama_headdim.gguf", import.meta.url);

  it("has keys that nobody reads told like fields of a config, and its config is no file of its own", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gguf-unread-"));
    try {
      const bytes = await readFile(fixture);
      const at = bytes.indexOf("llama.vocab_size");
      bytes.write("llama.sparkles_x", at);
      const path = join(folder, "model.gguf");
      await writeFile(path, bytes);
      const model = await openModel(path, { config: ["glitter=1"] });
      expect(model.unread).toEqual(["glitter", "llama.sparkles_x"]);
      expect(unreadNote(model)).toMatch(
        /^the config that its metadata make: nobody reads glitter, llama\.sparkles_x; /,
      );
      await model.close();
      await expect(openModel(path, { config: ["hidden_act=mish"] })).rejects.toMatchObject({
        message: expect.stringMatching(/model\.gguf: the config that its metadata make: hidden_act is "mish"/),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("what early GPTQ tools left behind", () => {
  const layer = "model.layers.0.self_attn.q_proj";
  const width = readGoldenConfig("quant_gptq").hidden_size as number;

  /** The golden model with a bias for a linear that has none, and stored rotary frequencies. */
  async function withLeftovers(bias: Float32Array, use: (path: string) => Promise<void>): Promise<void> {
    const path = await mkdtemp(join(tmpdir(), "gptq-"));
    try {
      await cp(goldenDir("quant_gptq"), path, { recursive: true });
      await writeSafetensors(join(path, "more.safetensors"), [
        { name: `${layer}.bias`, shape: [bias.length], data: bias },
        { name: "model.layers.0.self_attn.rotary_emb.inv_freq", shape: [4], data: new Float32Array(4) },
      ]);
      const files = ["model.safetensors", "more.safetensors"];
      const weight_map: Record<string, string> = {};
      for (const file of files) {
        const bytes = await readFile(join(path, file));
        const header = JSON.parse(bytes.toString("utf8", 8, 8 + Number(bytes.readBigUInt64LE())));
        for (const name of Object.keys(header)) if (name !== "__metadata__") weight_map[name] = file;
      }
      await rename(join(path, "model.safetensors"), join(path, "first.safetensors"));
      for (const [name, file] of Object.entries(weight_map))
        if (file === files[0]) weight_map[name] = "first.safetensors";
      await writeFile(join(path, "model.safetensors.index.json"), JSON.stringify({ weight_map }));
      await use(path);
    } finally {
      await rm(path, { recursive: true });
    }
  }

  it("does no harm: biases of zeros, rotary frequencies", async () => {
    await withLeftovers(new Float32Array(width), async (path) => {
      const model = await openModel(path);
      expect(model.ignored.map(({ name }) => name)).toEqual([
        "model.layers.0.self_attn.rotary_emb.inv_freq",
        `${layer}.bias`,
      ]);
      await model.close();
      expect(await inspect(path)).not.toHaveProperty("problem");
    });
  });

  it("is an error where it would change numbers", async () => {
    const bias = new Float32Array(width);
    bias[width - 1] = 1e-6;
    await withLeftovers(bias, async (path) => {
      await expect(openModel(path)).rejects.toThrow(
        `the model has no place for a tensor of the checkpoint: ${layer}.bias`,
      );
    });
  });
});

describe("finding models", () => {
  it("knows demo, folders and files", async () => {
    expect(await resolveModel()).toMatchObject({ name: "demo", from: "bundled" });
    expect(await resolveModel(goldenDir("gpt2"))).toMatchObject({ name: "gpt2", from: "disk" });
  });

  it("knows one of several GGUF files of the hub by its path and by its quantisation", async () => {
    const cacheDir = await mkdtemp(join(tmpdir(), "resolve-"));
    try {
      const folder = join(cacheDir, "models--org--x-GGUF", "snapshots", "abc");
      const files = ["x-Q4_K_M.gguf", "Q8_0/x-Q8_0-00001-of-00002.gguf", "Q8_0/x-Q8_0-00002-of-00002.gguf"];
      await mkdir(join(folder, "Q8_0"), { recursive: true });
      for (const file of files) await writeFile(join(folder, file), "");
      await mkdir(join(folder, "..", "..", "refs"));
      await writeFile(join(folder, "..", "..", "refs", "main"), "abc");
      const find = (model: string) => resolveModel(model, { offline: true, cacheDir });
      for (const name of ["org/x-GGUF:q8_0", `org/x-GGUF/${files[1]}`, `org/x-GGUF/${files[2]}`])
        expect(await find(name)).toMatchObject({ name, path: join(folder, files[1]!), from: "hub", downloaded: 0 });
      expect((await find("org/x-GGUF:Q4_K_M")).path).toBe(join(folder, files[0]!));
      await expect(find("org/x-GGUF:Q2_K")).rejects.toMatchObject({ code: "hub-offline" });
      await expect(find("org/x-GGUF/y.gguf")).rejects.toMatchObject({
        code: "hub-offline",
        message: expect.stringMatching(/^org\/x-GGUF\/y\.gguf is not on this machine, and of the hub: /),
      });
    } finally {
      await rm(cacheDir, { recursive: true });
    }
  });

  it.each(["./nowhere", "/nowhere/at/all", "a/b/c", "-x", "src/a/b.gguf"])(
    "says of %s that it isn't there",
    async (model) => {
      await expect(resolveModel(model, { offline: true })).rejects.toMatchObject({ code: "model-not-found" });
    },
  );
});
