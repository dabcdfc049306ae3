import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { readOnnx } from "@llm/exporter";
import { goldenDir, readGolden, readGoldenConfig } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import { type OrtTensor, openOrt, ortTensor } from "@llm/runtime-native/ort";
import { leavesOf, memorySource, sizeOf, type Tensor } from "@llm/tensor";
import { afterAll, describe, expect, test } from "vitest";
import { buildGolden } from "../testing/build-golden.ts";
import { goldenReference } from "../testing/reference.ts";
import { type Codec, execute } from "./execute.ts";
import { type ExportForAic100, exportForAic100 } from "./export-for-aic100.ts";
import { performanceBlock, printedFigures } from "./performance.ts";
import { transform } from "./transform.ts";

const folder = mkdtempSync(join(tmpdir(), "llm-aic100-library-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = new Config(readGoldenConfig("gpt2"));
const model = architectureFor(config.raw).build(config);

/** "5 9 200" is the tokens 5, 9 and 200. */
const tokenizer: Codec = {
  encode: (text) => text.trim().split(/\s+/).map(Number),
  decode: (ids) => Array.from(ids, (id) => `${id} `).join(""),
  endIds: [],
};

describe("transform", () => {
  test("gives the card's graph, and refuses what there isn't", () => {
    const [net] = transform(model, { ctxLen: 32, promptLen: 8 }).nets;
    expect(net!.graph.inputs.map(({ id }) => id)).toEqual(["input_ids", "position_ids"]);
    expect(() => transform(model, { type: "Diffusers" as "Transformers" })).toThrow('type is "Transformers"');
    expect(() => transform(model, { formFactor: "edge" as "cloud" })).toThrow('formFactor is "cloud"');
  });
});

/** A sample for a call of eight tokens over 32 places; caches start empty. */
function sampleOf(folder: string, name: string): OrtTensor {
  if (name.startsWith("past_")) return ortTensor("f32", [1, 4, 32, 12]);
  const bytes = new Uint8Array(readFileSync(join(folder, "sample", `${name}.raw`)));
  if (bytes.length === 32) return ortTensor("bool", [1, 32], bytes);
  const numbers = new BigInt64Array(bytes.buffer);
  return ortTensor("i64", numbers.length === 1 ? [1] : [1, 8], numbers);
}

describe("exportForAic100", () => {
  const base = { tokenizer, folder: join(folder, "export"), name: "org/tiny", inputStr: "5 9 200" };

  test("writes both models, what says how caches are kept, and sample inputs", async () => {
    const checkpoint = await openCheckpoint(goldenDir("gpt2"));
    const request = { ...base, model, source: checkpoint.weights, options: { ctxLen: 32, promptLen: 8, mxint8: true } };
    const made = await exportForAic100({ ...request, saveFp32Onnx: true, returnPath: true, seqLength: 8 });
    await checkpoint.close();
    expect(made).toEqual([base.folder, join(base.folder, "org_tiny_kv_fp16.onnx")]);
    expect(readdirSync(base.folder)).toEqual(
      expect.arrayContaining([
        "org_tiny_kv.onnx",
        "org_tiny_kv_fp16.onnx",
        "custom_io_fp16.yaml",
        "custom_io_int8.yaml",
        "sample",
      ]),
    );
    const ids = readFileSync(join(base.folder, "sample", "input_ids.raw"));
    expect([...new BigInt64Array(ids.buffer.slice(ids.byteOffset, ids.byteOffset + ids.length))]).toEqual([
      5n,
      9n,
      200n,
      0n,
      0n,
      0n,
      0n,
      0n,
    ]);
    const { inputs } = await readOnnx(join(base.folder, "org_tiny_kv.onnx"));
    expect(inputs.find(({ name }) => name === "past_key.0")!.type).toBe("float");
    expect(readFileSync(join(base.folder, "custom_io_int8.yaml"), "utf8")).toContain("Precision: mxint8");
  });

  test("without a cache every call is the whole text", async () => {
    const checkpoint = await openCheckpoint(goldenDir("gpt2"));
    const own = join(folder, "whole");
    expect(await exportForAic100({ ...base, folder: own, model, source: checkpoint.weights, kv: false })).toBe(own);
    await checkpoint.close();
    const { inputs, initializers } = await readOnnx(join(own, "org_tiny_fp16.onnx"));
    const types = new Set(initializers.filter(({ external }) => external).map(({ type }) => type));
    expect(types).toContain("float16");
    expect(inputs.map(({ name }) => name)).toEqual(["input_ids", "attention_mask", "position_ids"]);
  });

  test("writes what the SDK's compiler reads, and one model only", async () => {
    const checkpoint = await openCheckpoint(goldenDir("gpt2"));
    const request = { ...base, folder: join(folder, "recipe"), model, source: checkpoint.weights };
    const sizes = { ctxLen: 32, promptLen: 8 };
    await exportForAic100({
      ...request,
      options: { ...sizes, sdk: "recipe" },
      saveFp16Onnx: false,
      saveFp32Onnx: true,
    });
    const { inputs, opsets } = await readOnnx(join(folder, "recipe", "org_tiny_kv.onnx"));
    expect([inputs.some(({ name }) => name === "cache_index"), opsets[""]]).toEqual([true, 13]);
    await expect(exportForAic100({ ...request, options: { ...sizes, mesh: "1x2" } })).rejects.toThrow("leave mesh out");
    await checkpoint.close();
  });

  test.each([
    ["a call without a cache", { kv: false }, {}],
    ["the recipe's graph", { saveFp32Onnx: true, saveFp16Onnx: false }, { sdk: "recipe" }],
    ["slots that come and go", {}, { fullBatchSize: 2 }],
    ["guesses", {}, { numSpeculativeTokens: 3 }],
    ["tokens chosen on the card", {}, { onDeviceSampling: true, includeGuidedDecoding: true }],
  ] as const)("sample inputs are those of %s", async (_, flags, options) => {
    const checkpoint = await openCheckpoint(goldenDir("gpt2"));
    const own = mkdtempSync(join(folder, "sample-"));
    const sizes = { ctxLen: 32, promptLen: 8, ...options };
    const request = { ...base, folder: own, model, source: checkpoint.weights, seqLength: 8, options: sizes, ...flags };
    const [, file] = (await exportForAic100({ ...request, returnPath: true })) as readonly [string, string];
    await checkpoint.close();
    const { inputs } = await readOnnx(file);
    const given = inputs.map(({ name }) => name).filter((name) => !name.startsWith("past_"));
    const made = readdirSync(join(own, "sample")).map((name) => name.replace(".raw", ""));
    expect(made.sort()).toEqual(given.sort());
  });

  test.each([
    ["without a cache", { kv: false, saveFp32Onnx: true, saveFp16Onnx: false }, {}],
    ["by one index for all", { saveFp32Onnx: true, saveFp16Onnx: false }, { sdk: "recipe" }],
  ] as const)("%s, the file says with its sample inputs what the reference says", async (_, flags, options) => {
    const checkpoint = await openCheckpoint(goldenDir("gpt2"));
    const reference = await goldenReference("gpt2", model, { context: 32 });
    const own = mkdtempSync(join(folder, "run-"));
    const sizes = { ctxLen: 32, promptLen: 8, ...options };
    const request = { ...base, folder: own, model, source: checkpoint.weights, seqLength: 8, options: sizes, ...flags };
    const [, file] = (await exportForAic100({ ...request, returnPath: true })) as readonly [string, string];
    await checkpoint.close();
    const ort = await openOrt(file, { threads: 1 });
    const inputs = Object.fromEntries(ort.inputs.map(({ name }) => [name, sampleOf(own, name)]));
    const { logits } = await ort.run(inputs, { logits: null });
    await ort.close();
    const ids = tokenizer.encode(base.inputStr);
    const expected = reference.step([{ slot: 0, at: 0, tokens: Array.from(ids), last: 1 }])[0]!.logits;
    const row = "sdk" in options ? 0 : ids.length - 1;
    const got = (logits!.data as Float32Array).subarray(row * expected.length, (row + 1) * expected.length);
    for (const [i, value] of got.entries()) expect(value).toBeCloseTo(expected[i]!, 3);
  });

  describe("what was transformed", () => {
    const sizes = { ctxLen: 64, promptLen: 8 };
    const whole = transform(model, { ...sizes, format: "fp32", emulate: true });
    const write = async (request: Partial<ExportForAic100>) => {
      const own = mkdtempSync(join(folder, "transformed-"));
      const checkpoint = await openCheckpoint(goldenDir("gpt2"));
      try {
        await exportForAic100({ ...base, folder: own, source: checkpoint.weights, seqLength: 8, ...request });
      } finally {
        await checkpoint.close();
      }
      return own;
    };

    test.each([
      ["f16", transform(model, sizes), "org_tiny_kv_fp16.onnx", { opset: 17, cache: "float16" }],
      ["f32", whole, "org_tiny_kv.onnx", { opset: 17, cache: "float" }],
      [
        "by index",
        transform(model, { ...sizes, sdk: "recipe" }),
        "org_tiny_kv_fp16.onnx",
        { opset: 13, cache: "float" },
      ],
    ] as const)("is named and versioned for what it is: %s", async (_, transformed, file, { opset, cache }) => {
      const own = await write({ transformed });
      expect(readdirSync(own).filter((name) => name.endsWith(".onnx"))).toEqual([file]);
      const { inputs, opsets } = await readOnnx(join(own, file));
      expect(opsets[""]).toBe(opset);
      expect(inputs.find(({ name }) => name === "past_key.0")!.type).toBe(cache);
      if (opset === 13) expect(statSync(join(own, "sample", "attention_mask.raw")).size).toBe(sizes.ctxLen);
    });

    test.each<[string, Partial<ExportForAic100>, string]>([
      [
        "halves as float32",
        { transformed: transform(model, sizes), saveFp32Onnx: true, saveFp16Onnx: false },
        "in fp16",
      ],
      ["float32 as halves", { transformed: whole, saveFp16Onnx: true }, "in float32"],
      ["another context", { transformed: whole, options: { ctxLen: 32 } }, "transformed for 64"],
      ["another generation", { transformed: whole, options: { sdk: "recipe" } }, "transformed for another"],
    ])("isn't taken for %s", async (_, request, message) => {
      await expect(write(request)).rejects.toThrow(message);
    });
  });

  test("what a compiler will make halves of stays within their range", async () => {
    const tensors: Record<string, Tensor> = {};
    for (const { name, shape } of model.weights.flatMap(({ expr }) => leavesOf(expr)))
      tensors[name] = {
        dtype: "f32",
        shape,
        data: new Float32Array(sizeOf(shape)).fill(name.endsWith("wpe.weight") ? 1e6 : 0.1),
      };
    const clipped = async (flags: Partial<ExportForAic100>): Promise<readonly string[]> => {
      const request = { ...base, folder: mkdtempSync(join(folder, "wide-")), model, source: memorySource(tensors) };
      const options = { ctxLen: 32, promptLen: 8, sdk: "recipe" } as const;
      const [, file] = await exportForAic100({ ...request, options, returnPath: true, ...flags });
      const { initializers } = await readOnnx(file!);
      return initializers.flatMap(({ name }) => (name.endsWith(":stored") ? [name] : []));
    };
    expect(await clipped({})).toEqual([expect.stringContaining("wpe.weight")]);
    expect(await clipped({ saveFp32Onnx: true, saveFp16Onnx: false })).toEqual([]);
  });

  test("refuses both and neither", async () => {
    const checkpoint = await openCheckpoint(goldenDir("gpt2"));
    const request = { ...base, source: checkpoint.weights };
    const transformed = transform(model, { ctxLen: 32, promptLen: 8 });
    await expect(exportForAic100(request)).rejects.toThrow("not both");
    await expect(exportForAic100({ ...request, model, transformed })).rejects.toThrow("not both");
    await expect(exportForAic100({ ...request, model, saveFp16Onnx: false })).rejects.toThrow("nothing to write");
    await checkpoint.close();
  });
});

describe("execute", () => {
  test.each([
    { batchSize: 2, promptLen: 4 },
    { fullBatchSize: 2, promptLen: 4 },
    { sdk: "recipe", batchSize: 2, promptLen: 4 },
  ] as const)("%j: says what the reference says, and writes its first calls down", async (options) => {
    using built = await buildGolden("gpt2", { ...options, ctxLen: 48 });
    const [first, second] = readGolden("gpt2").prompts;
    const io = join(folder, JSON.stringify(options).replaceAll(/\W+/g, "-"));
    let printed = "";
    const { texts, performance } = await execute({
      artefact: built.artefact,
      tokenizer,
      prompts: [first!, second!].map(({ input_ids }) => input_ids.join(" ")),
      generationLen: 10,
      automation: true,
      writeIoDir: io,
      print: (text) => {
        printed += text;
      },
    });
    expect(texts).toEqual([first!, second!].map(({ greedy }) => tokenizer.decode(greedy.slice(0, 10))));
    expect(performance).toMatchObject({ batchSize: 2, decodedTokens: 9 });
    expect(printed).toContain(`input=${first!.input_ids.join(" ")}\noutput=${texts[0]}`);
    expect(printed).toContain("Batch Performance : ");

    const { "IO-files": calls } = JSON.parse(readFileSync(join(io, "aic_batch_io.json"), "utf8"));
    expect(calls).toHaveLength(2);
    for (const file of calls.flat())
      expect(statSync(join(io, file.path)).size).toBe(
        file.dims.reduce((size: number, dim: number) => size * dim, file["elem-size"]),
      );
    expect(calls[0].map((file: { path: string }) => file.path)).toContain("prefill/input_ids.raw");
    expect(calls[1].at(-1)).toMatchObject({ "io-direction": "out", "map-to": "logits", dims: [2, 1, 304] });
  });

  test("prints text as it grows, whole letters and no end; what has no tokens is refused", async () => {
    using built = await buildGolden("gpt2", { promptLen: 4, ctxLen: 48 });
    const { input_ids, greedy } = readGolden("gpt2").prompts[0]!;
    /** Every two tokens are a letter. */
    const halves = { ...tokenizer, decode: (ids: ArrayLike<number>) => halfLetters(ids.length) };
    const run = async (codec: Codec, prompts: readonly string[], generationLen: number) => {
      const printed: string[] = [];
      const print = (text: string) => void printed.push(text);
      const made = await execute({ artefact: built.artefact, tokenizer: codec, prompts, generationLen, print });
      return { ...made, printed: printed.slice(0, -1) };
    };
    const prompt = input_ids.join(" ");
    expect((await run(halves, [prompt], 5)).printed).toEqual(["é", "é", "\ufffd"]);

    const end = greedy[3]!;
    const before = greedy.indexOf(end);
    const ended = await run({ ...tokenizer, endIds: [end] }, [prompt], 10);
    expect(ended.printed.join("")).toBe(tokenizer.decode(greedy.slice(0, before)));
    expect(ended.performance.decodedTokens).toBe(before);
    const atOnce = await run({ ...tokenizer, endIds: [greedy[0]!] }, [prompt], 10);
    expect(atOnce).toMatchObject({ texts: [""], printed: [], performance: { decodedTokens: 0 } });

    const none = { ...tokenizer, encode: () => [] };
    await expect(run(none, ["5", ""], 5)).rejects.toThrow("prompt 1 has no tokens");
  });
});

function halfLetters(count: number): string {
  return new TextDecoder().decode(Uint8Array.from({ length: count }, (_, at) => (at % 2 === 0 ? 0xc3 : 0xa9)));
}

test("the figures of several prompts are of all of them", () => {
  const lines = performanceBlock(
    printedFigures({ batchSize: 4, prefillSeconds: 0.5, decodeSeconds: 2, decodedTokens: 10 }),
  ).split("\n");
  expect(lines).toEqual([
    "========================= Performance Stats =========================",
    "Batch Performance : ",
    "Average Prefill time a.k.a TTFT is= 0.5 sec        ",
    "Decode is= 20 tokens/sec        ",
    "Total is= 17.6 tokens/sec        ",
    "Total (E2E) inference time is= 2.5 sec",
    "=====================================================================",
  ]);
});
