import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goldenDir } from "@llm/fixtures";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../json.ts";
import { openCheckpoint } from "../open.ts";
import { dequantise } from "../testing/dequantise.ts";
import { type FixtureTensor, safetensorsFile } from "../testing/safetensors-file.ts";
import { valuesOf } from "../testing/weights-of.ts";

type Expected = Record<string, Record<string, { shape: number[]; sha256: string }>>;
const file = new URL("../../fixtures/quantised/expected.json", import.meta.url);
const expected: Expected = JSON.parse(await readFile(file, "utf8"));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "quantised-"));
});
afterAll(() => rm(root, { recursive: true }));

test.each(Object.keys(expected))("%s: each linear is one tensor with the values that numpy computes", async (name) => {
  const checkpoint = await openCheckpoint(goldenDir(name));
  const { weights } = checkpoint;
  expect([...weights.names()].filter((name) => /qweight|qzeros|scales|g_idx/.test(name))).toEqual([]);
  expect(weights.get("model.norm.weight")!.format).toBe("f16");
  const linears = [...weights.names()].filter((name) => ["gptq", "awq"].includes(weights.get(name)!.format));
  expect(linears.sort()).toEqual(Object.keys(expected[name]!).sort());
  for (const linear of linears) {
    const tensor = weights.get(linear)!;
    expect(tensor.shape, linear).toEqual(expected[name]![linear]!.shape);
    const values = await dequantise(weights, tensor);
    expect(createHash("sha256").update(new Uint8Array(values.buffer)).digest("hex"), linear).toBe(
      expected[name]![linear]!.sha256,
    );
  }
  await checkpoint.close();
});

const zeros = (dtype: string, shape: number[]): FixtureTensor => ({
  dtype,
  shape,
  bytes: new Uint8Array(shape.reduce((a, b) => a * b, dtype === "F16" ? 2 : 4)),
});
const gptqLayer = {
  "x.qweight": zeros("I32", [8, 16]),
  "x.qzeros": zeros("I32", [2, 2]),
  "x.scales": zeros("F16", [2, 16]),
  "x.g_idx": zeros("I32", [64]),
};
const without = (key: string) => Object.fromEntries(Object.entries(gptqLayer).filter(([name]) => name !== key));
const gptqConfig = { quant_method: "gptq", bits: 4, group_size: 32, desc_act: true };

async function open(tensors: Record<string, FixtureTensor>, quantisation: Json, extra: Record<string, string> = {}) {
  const path = await mkdtemp(join(root, "case-"));
  const config = quantisation === null ? {} : { quantization_config: quantisation };
  await writeFile(join(path, "config.json"), JSON.stringify(config));
  await writeFile(join(path, "model.safetensors"), safetensorsFile(tensors));
  for (const [name, text] of Object.entries(extra)) await writeFile(join(path, name), text);
  return openCheckpoint(path);
}

test("what the first tools wrote into quantize_config.json counts as the config's", async () => {
  const checkpoint = await open(gptqLayer, null, { "quantize_config.json": '{"bits":4,"group_size":-1}' }).catch(
    (e) => e,
  );
  expect(checkpoint).toMatchObject({ code: "tensor-invalid", message: expect.stringMatching(/needs \[1, 2\]/) });
  const good = await open(gptqLayer, null, { "quantize_config.json": '{"bits":4,"group_size":32}' });
  expect(good.weights.get("x.weight")).toMatchObject({ format: "gptq", shape: [16, 64], params: { zeroOffset: 1 } });
  expect(good.config.quantization_config).toMatchObject({ quant_method: "gptq", group_size: 32 });
  expect(good.describe()).toMatchObject({ quantisation: "gptq", parameters: 1024 });
  await good.close();
});

test("with desc_act, each input's group is where g_idx says", async () => {
  const random = (dtype: string, shape: number[], max: number): FixtureTensor => {
    const { bytes } = zeros(dtype, shape);
    return { dtype, shape, bytes: bytes.map((_, i) => (i * 89 + 7) % max) };
  };
  const groups = Int32Array.from({ length: 64 }, (_, i) => (i * 7) % 2);
  const scales = Float16Array.from({ length: 32 }, (_, i) => 0.01 * (i + 1));
  const layer = {
    "x.qweight": random("I32", [8, 16], 256),
    "x.qzeros": random("I32", [2, 2], 256),
    "x.scales": { dtype: "F16", shape: [2, 16], bytes: new Uint8Array(scales.buffer) },
    "x.g_idx": { dtype: "I32", shape: [64], bytes: new Uint8Array(groups.buffer) },
  };
  for (const checkpoint_format of ["gptq", "gptq_v2"]) {
    const checkpoint = await open(layer, { ...gptqConfig, checkpoint_format });
    const expected = await dequantise(checkpoint.weights, checkpoint.weights.get("x.weight")!);
    expect(await valuesOf(checkpoint.weights, "x.weight")).toEqual(expected);
    // The first input's weights by hand: group 0, the lowest four bits of each word.
    const [q, zero] = [layer["x.qweight"].bytes[0]! & 15, layer["x.qzeros"].bytes[0]! & 15];
    expect(expected[0]).toBeCloseTo(scales[0]! * (q - zero - (checkpoint_format === "gptq" ? 1 : 0)), 6);
    await checkpoint.close();
  }
});

test("what AWQ's first tools wrote into quant_config.json counts as the config's", async () => {
  const layer = {
    "x.qweight": zeros("I32", [64, 2]),
    "x.qzeros": zeros("I32", [2, 2]),
    "x.scales": zeros("F16", [2, 16]),
  };
  const said = '{"zero_point":true,"q_group_size":32,"w_bit":4,"version":"GEMM"}';
  const checkpoint = await open(layer, null, { "quant_config.json": said });
  expect(checkpoint.weights.get("x.weight")).toMatchObject({ format: "awq", shape: [16, 64] });
  expect(checkpoint.describe()).toMatchObject({ quantisation: "awq" });
  await checkpoint.close();
});

test("layers may have bits and groups of their own (dynamic), which their tensors tell", async () => {
  const layers = {
    ...gptqLayer,
    "y.qweight": zeros("I32", [16, 16]), // 8 bits
    "y.qzeros": zeros("I32", [4, 4]),
    "y.scales": zeros("F16", [4, 16]), // groups of 16
    "y.g_idx": zeros("I32", [64]),
    "z.weight": zeros("F16", [16, 64]),
  };
  const dynamic = { "-:z": {}, ".*y.*": { bits: 8, group_size: 16, desc_act: false } };
  const checkpoint = await open(layers, { ...gptqConfig, dynamic });
  expect(checkpoint.weights.get("x.weight")).toMatchObject({ shape: [16, 64], params: { bits: 4, groupSize: 32 } });
  expect(checkpoint.weights.get("y.weight")).toMatchObject({ shape: [16, 64], params: { bits: 8, groupSize: 16 } });
  expect(checkpoint.weights.get("z.weight")).toMatchObject({ format: "f16" });
  await checkpoint.close();
  const skips = await open(without("x.g_idx"), { ...gptqConfig, desc_act: false, dynamic: { "-:z": {} } });
  expect(skips.weights.get("x.weight")).toMatchObject({ shape: [16, 64] });
  await skips.close();
});

test.each([
  ["auto-round", { packing_format: "auto_round:auto_gptq" }],
  ["intel/auto-round", { backend: "auto_round:gptq:exllamav2" }],
  ["auto-round", { extra_config: { lm_head: { bits: 16 }, x: { bits: 4, group_size: 32 } } }],
])("AutoRound packs as GPTQ does: %s, %j", async (quant_method, more) => {
  const config = { quant_method, bits: 4, group_size: 32, sym: true, ...more };
  const checkpoint = await open(without("x.g_idx"), config);
  expect(checkpoint.weights.get("x.weight")).toMatchObject({ format: "gptq", params: { zeroOffset: 1, groups: 2 } });
  await checkpoint.close();
});

test.each(["auto_round", "auto_round:gptqmodel", "auto_round:exllamav2"])(
  "AutoRound's own layout has zero points as they are: %s",
  async (packing_format) => {
    const config = { quant_method: "auto-round", bits: 4, group_size: 32, sym: false, packing_format };
    const checkpoint = await open(without("x.g_idx"), config);
    expect(checkpoint.weights.get("x.weight")).toMatchObject({ format: "gptq", params: { zeroOffset: 0, groups: 2 } });
    await checkpoint.close();
  },
);

test("AutoRound packs as AWQ does", async () => {
  const layer = {
    "x.qweight": zeros("I32", [64, 2]),
    "x.qzeros": zeros("I32", [2, 2]),
    "x.scales": zeros("F16", [2, 16]),
  };
  const config = { quant_method: "auto-round", packing_format: "auto_round:auto_awq", bits: 4, group_size: 32 };
  const checkpoint = await open(layer, config);
  expect(checkpoint.weights.get("x.weight")).toMatchObject({ format: "awq", shape: [16, 64] });
  await checkpoint.close();
});

const fp8Config = {
  quant_method: "fp8",
  fmt: "e4m3",
  activation_scheme: "dynamic",
  weight_block_size: [2, 3],
};
const fp8Layer = {
  "x.weight": { dtype: "F8_E4M3", shape: [3, 4], bytes: new Uint8Array(12).fill(0x40) }, // 2
  "x.weight_scale_inv": {
    dtype: "F32",
    shape: [2, 2],
    bytes: new Uint8Array(Float32Array.of(0.5, 1, 2, 4).buffer),
  },
};

test("FP8 is what its values and its tiles' factors say", async () => {
  const checkpoint = await open({ ...fp8Layer, "norm.weight": zeros("F16", [4]) }, fp8Config);
  expect([...checkpoint.weights.names()]).toEqual(["x.weight", "norm.weight"]);
  expect(await valuesOf(checkpoint.weights, "x.weight")).toEqual(
    Float32Array.of(...[1, 1, 1, 2], ...[1, 1, 1, 2], ...[4, 4, 4, 8]),
  );
  expect(checkpoint.describe()).toMatchObject({ quantisation: "fp8", parameters: 16 });
  await checkpoint.close();
});

test.each<Json>([
  { load_in_4bit: false, load_in_8bit: false, llm_int8_threshold: 6 },
  { quant_method: "bitsandbytes", load_in_4bit: true },
])("plain weights are plain, whatever an adapter's merge left in the config: %j", async (config) => {
  const checkpoint = await open({ "x.weight": zeros("F16", [4, 4]), "x.mask": zeros("I32", [4]) }, config);
  expect(checkpoint.weights.get("x.weight")).toMatchObject({ format: "f16" });
  await checkpoint.close();
});

test.each<[string, Record<string, FixtureTensor>, Json, string, RegExp]>([
  [
    "bitsandbytes",
    gptqLayer,
    { quant_method: "bitsandbytes", load_in_4bit: true },
    "quantisation-unsupported",
    /config\.json: weights quantised with bitsandbytes/,
  ],
  ["old bitsandbytes", gptqLayer, { load_in_8bit: true }, "quantisation-unsupported", /bitsandbytes/],
  [
    "bitsandbytes without packed names",
    { "x.weight": zeros("I32", [4, 4]) },
    { load_in_8bit: true },
    "quantisation-unsupported",
    /bitsandbytes/,
  ],
  [
    "a method without a name",
    gptqLayer,
    { bits: 4, group_size: 32 },
    "quantisation-unsupported",
    /quantised in a way that its config doesn't name/,
  ],
  ["what nobody explains", gptqLayer, null, "quantisation-unsupported", /quantised \(x\.qweight\), and neither it/],
  [
    "a layer of its own kind that has no group index",
    without("x.g_idx"),
    { ...gptqConfig, desc_act: false, dynamic: { "+:x": { bits: 8 } } },
    "tensor-invalid",
    /x\.g_idx: is missing: where layers have numbers of their own/,
  ],
  [
    "AutoRound with layers of another width",
    without("x.g_idx"),
    { quant_method: "auto-round", bits: 4, group_size: 32, extra_config: { x: { bits: 8 } } },
    "quantisation-unsupported",
    /another bits in "x"/,
  ],
  [
    "AutoRound with turned weights",
    without("x.g_idx"),
    { quant_method: "auto-round", bits: 4, group_size: 32, rotation_config: { hadamard_type: "hadamard" } },
    "quantisation-unsupported",
    /turned weights \(rotation_config\)/,
  ],
  [
    "AutoRound in another layout",
    gptqLayer,
    { quant_method: "auto-round", bits: 4, group_size: 32, packing_format: "auto_round:llm_compressor" },
    "quantisation-unsupported",
    /"auto_round:llm_compressor" can't be read/,
  ],
  [
    "FP8 without its factors",
    { "x.weight": fp8Layer["x.weight"] },
    fp8Config,
    "tensor-invalid",
    /x\.weight_scale_inv: is missing/,
  ],
  [
    "FP8 with factors of other tiles",
    fp8Layer,
    { ...fp8Config, weight_block_size: [128, 128] },
    "tensor-invalid",
    /x\.weight_scale_inv: its shape is \[2, 2\], but the layer needs \[1, 1\]/,
  ],
  ["FP8 with one factor", fp8Layer, { quant_method: "fp8" }, "quantisation-unsupported", /without weight_block_size/],
  ["FP8 of another kind", fp8Layer, { ...fp8Config, fmt: "e5m2" }, "quantisation-unsupported", /"e5m2"/],
  [
    "FP8 with fixed activations",
    fp8Layer,
    { ...fp8Config, activation_scheme: "static" },
    "quantisation-unsupported",
    /fixed factors/,
  ],
  ["FP8 of no size", fp8Layer, { ...fp8Config, weight_block_size: [0, 3] }, "config-invalid", /not two sizes/],
  ["another method", gptqLayer, { quant_method: "aqlm" }, "quantisation-unsupported", /"aqlm"/],
  ["an inherited name", gptqLayer, { quant_method: "constructor" }, "quantisation-unsupported", /"constructor"/],
  ["three bits", gptqLayer, { ...gptqConfig, bits: 3 }, "quantisation-unsupported", /3 bits/],
  ["no bits", gptqLayer, { quant_method: "gptq" }, "config-invalid", /quantization_config\.bits/],
  ["marlin", gptqLayer, { ...gptqConfig, checkpoint_format: "marlin" }, "quantisation-unsupported", /marlin/],
  ["AWQ for gemv", gptqLayer, { quant_method: "awq", bits: 4, version: "GEMV" }, "quantisation-unsupported", /gemv/],
  ["no scales", without("x.scales"), gptqConfig, "tensor-invalid", /model\.safetensors: tensor x\.scales: is missing/],
  ["no group index", without("x.g_idx"), gptqConfig, "tensor-invalid", /tensor x\.g_idx: is missing/],
  [
    "other groups",
    gptqLayer,
    { ...gptqConfig, group_size: 16 },
    "tensor-invalid",
    /qzeros: its shape is \[2, 2\], but the layer needs \[4, 2\]/,
  ],
  ["a group of nothing", gptqLayer, { ...gptqConfig, group_size: 0 }, "tensor-invalid", /group_size 0/],
  [
    "another dtype",
    { ...gptqLayer, "x.g_idx": zeros("F32", [64]) },
    gptqConfig,
    "tensor-invalid",
    /g_idx: it is f32, not i32/,
  ],
  ["a plain weight too", { ...gptqLayer, "x.weight": zeros("F16", [16, 64]) }, gptqConfig, "tensor-invalid", /both/],
])("%s is refused", async (_, tensors, quantisation, code, message) => {
  await expect(open(tensors, quantisation)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});
