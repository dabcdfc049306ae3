import { join } from "node:path";
import { openTensorFile } from "@llm/checkpoint";
import { goldenArrays, goldenDir, readGolden, readGoldenConfig } from "@llm/fixtures";
import { Generator, type TextTokenizer } from "@llm/generate";
import { read, weights } from "@llm/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRunnable, type Runnable } from "./open-runnable.ts";
import { scratch } from "./testing/scratch.ts";

const { env } = scratch();

/** Texts are given as ids: no tokenizer is asked. */
const noTokenizer = { encode: () => new Int32Array(), stream: () => ({}) } as unknown as TextTokenizer;

const MODELS = [
  { name: "llama_gqa_llama3", norm: rms, eps: "rms_norm_eps", tensors: ["model.norm.weight"] },
  {
    name: "gpt2",
    norm: layer,
    eps: "layer_norm_epsilon",
    tensors: ["transformer.ln_f.weight", "transformer.ln_f.bias"],
  },
] as const;

function rms(x: Float32Array, eps: number, [w]: readonly Float32Array[]): Float32Array {
  const scale = 1 / Math.sqrt(mean(x.map((v) => v * v)) + eps);
  return x.map((v, i) => v * scale * w![i]!);
}

function layer(x: Float32Array, eps: number, [w, b]: readonly Float32Array[]): Float32Array {
  const middle = mean(x);
  const scale = 1 / Math.sqrt(mean(x.map((v) => (v - middle) ** 2)) + eps);
  return x.map((v, i) => (v - middle) * scale * w![i]! + b![i]!);
}

function mean(x: Float32Array): number {
  return x.reduce((sum, v) => sum + v, 0) / x.length;
}

// What transformers gives as the last hidden state is the stream after the last block, which the golden data have, normed.
describe.each(MODELS)("embeddings of $name", ({ name, norm, eps, tensors }) => {
  const ids = readGolden(name).prompts[0]!.input_ids;
  let states: readonly Float32Array[];
  let runnable: Runnable;
  let generator: Generator;

  beforeAll(async () => {
    const arrays = goldenArrays(name);
    const streams = [...arrays.keys()].filter((key) => key.startsWith("p0.hidden.")).length;
    const stream = arrays.get(`p0.hidden.${streams - 1}`)!;
    const width = stream.length / ids.length;
    const file = await openTensorFile(join(goldenDir(name), "model.safetensors"));
    const operands = await Promise.all(
      tensors.map(async (tensor) => (await read(weights.tensor(tensor, [width]), file, "f32")).data as Float32Array),
    );
    await file.close();
    const epsilon = readGoldenConfig(name)[eps] as number;
    states = ids.map((_, i) => norm(stream.subarray(i * width, (i + 1) * width), epsilon, operands));
    runnable = await openRunnable(goldenDir(name), { env, batchSize: 2 });
    generator = new Generator({ session: runnable.session, tokenizer: noTokenizer });
  });
  afterAll(async () => {
    await generator.close();
    await runnable.close();
  });

  const means = () => states[0]!.map((_, i) => states.reduce((sum, state) => sum + state[i]!, 0) / states.length);

  it.each([
    ["mean", () => means()],
    ["last", () => states.at(-1)!],
  ] as const)("by %s are those of transformers, as long as they are and of length 1", async (pooling, expected) => {
    const wanted = expected();
    const [plain] = await generator.embed([ids], { pooling, normalise: false });
    const length = Math.hypot(...wanted);
    expect(worst(plain!, wanted)).toBeLessThan(1e-4 * length);
    const [normalised] = await generator.embed([ids], { pooling });
    expect(
      worst(
        normalised!,
        wanted.map((x) => x / length),
      ),
    ).toBeLessThan(1e-4);
  });

  it("stay what they are beside other texts, and where a text begins as another did", async () => {
    const [alone] = await generator.embed([ids]);
    const [, beside] = await generator.embed([ids.slice(0, 3), ids]);
    expect(worst(beside!, alone!)).toBeLessThan(1e-5);
  });
});

function worst(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}
