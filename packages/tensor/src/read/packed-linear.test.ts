import { describe, expect, test } from "vitest";
import { weights as w } from "../expr/weights.ts";
import { codecOf, type Parts } from "../formats/index.ts";
import { f16ToF32 } from "../half.ts";
import { locate } from "../locate.ts";
import { memorySource, type StoredInMemory } from "../memory-source.ts";
import type { Tensor } from "../tensor.ts";
import { goldenTensors } from "../testing/golden-weights.test.support.ts";
import { read, stream } from "./read.ts";

const GROUP = 32;
const AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7];

interface Layer {
  readonly stored: StoredInMemory;
  /** Straight from the published rules, one value after another. */
  value(output: number, input: number): number;
}

const bytes = ({ data }: Tensor) => new Uint8Array(data.buffer);
const words = ({ data }: Tensor) => new Uint32Array(data.buffer);
const nibble = (word: number, place: number) => (word >>> (4 * place)) & 15;

function gptq(t: Record<string, Tensor>, layer: string, zeroOffset: number): Layer {
  const [qweight, qzeros, scales, g_idx] = ["qweight", "qzeros", "scales", "g_idx"].map((p) => t[`${layer}.${p}`]!);
  const [groups, outputs] = scales!.shape as [number, number];
  const inputs = qweight!.shape[0]! * 8;
  const scale = f16ToF32(scales!.data as Uint16Array);
  return {
    stored: {
      shape: [outputs, inputs],
      format: "gptq",
      parts: { qweight: bytes(qweight!), qzeros: bytes(qzeros!), scales: bytes(scales!), g_idx: bytes(g_idx!) },
      params: { bits: 4, groupSize: GROUP, groups, zeroOffset, scales: "f16" },
    },
    value(o, i) {
      const g = Number(g_idx!.data[i]);
      const zero = nibble(words(qzeros!)[g * (outputs / 8) + (o >> 3)]!, o & 7) + zeroOffset;
      return scale[g * outputs + o]! * (nibble(words(qweight!)[(i >> 3) * outputs + o]!, i & 7) - zero);
    },
  };
}

function awq(t: Record<string, Tensor>, layer: string): Layer {
  const [qweight, qzeros, scales] = ["qweight", "qzeros", "scales"].map((part) => t[`${layer}.${part}`]!);
  const [groups, outputs] = scales!.shape as [number, number];
  const inputs = qweight!.shape[0]!;
  const scale = f16ToF32(scales!.data as Uint16Array);
  return {
    stored: {
      shape: [outputs, inputs],
      format: "awq",
      parts: { qweight: bytes(qweight!), qzeros: bytes(qzeros!), scales: bytes(scales!) },
      params: { bits: 4, groupSize: GROUP, groups, scales: "f16" },
    },
    value(o, i) {
      const g = Math.floor(i / GROUP);
      const place = AWQ_ORDER.indexOf(o & 7);
      const at = (row: number) => row * (outputs / 8) + (o >> 3);
      return scale[g * outputs + o]! * (nibble(words(qweight!)[at(i)]!, place) - nibble(words(qzeros!)[at(g)]!, place));
    },
  };
}

const MODELS: Record<string, (t: Record<string, Tensor>, layer: string) => Layer> = {
  quant_gptq: (t, layer) => gptq(t, layer, 1),
  quant_gptq_v2: (t, layer) => gptq(t, layer, 0),
  quant_awq: awq,
};

describe.each(Object.keys(MODELS))("%s", (model) => {
  const tensors = goldenTensors(model);
  const layers = Object.keys(tensors).flatMap((name) => /^(.*)\.qweight$/.exec(name)?.[1] ?? []);
  const layer = MODELS[model]!(tensors, layers[1]!);
  const source = memorySource({ "x.weight": layer.stored });
  const [outputs, inputs] = layer.stored.shape as [number, number];
  const expr = w.tensor("x.weight", [outputs, inputs]);
  const box = (from: readonly [number, number], size: readonly [number, number]) =>
    Array.from({ length: size[0] * size[1] }, (_, n) =>
      layer.value(from[0] + Math.floor(n / size[1]), from[1] + (n % size[1])),
    );

  test("a linear's weight is what the published rule says, whole and in odd pieces", async () => {
    expect(layers.length).toBeGreaterThan(3);
    expect([...(await read(expr, source, "f32")).data]).toEqual(box([0, 0], [outputs, inputs]));
    const piece = w.slice(w.slice(expr, 0, 3, 21), 1, 5, 38);
    expect([...(await read(piece, source, "f32")).data]).toEqual(box([3, 5], [18, 33]));
    const chunks = await Array.fromAsync(stream(expr, source, "f32", { chunkBytes: 1000 }));
    expect([...new Float32Array(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])).buffer)]).toEqual(
      box([0, 0], [outputs, inputs]),
    );
  });

  test("its published tensors can be used where they are", () => {
    const format = model.replace("quant_", "");
    expect(locate(expr, source, { format, part: "qweight" })).toMatchObject({
      file: "/memory/x.weight/qweight",
      offset: 0,
      length: layer.stored.parts.qweight!.length,
    });
    expect(locate(expr, source, { format, part: "scales", group: 64 })).toBeUndefined();
    expect(locate(expr, source, { format: format === "gptq" ? "gptq_v2" : "gptq", part: "qzeros" })).toBeUndefined();
  });

  test("packing the values once more takes none further than a step", async () => {
    const format = model.replace("quant_", "");
    const values = (await read(expr, source, "f32")).data as Float32Array;
    const codec = codecOf({ format, group: GROUP, symmetric: false });
    const again = codec.decode(codec.encode(values, outputs, inputs), outputs, inputs);
    const step = Math.max(...values.map(Math.abs)) / 7;
    for (let i = 0; i < values.length; i++) expect(Math.abs(again[i]! - values[i]!)).toBeLessThan(step);
  });
});

test("what this package packs, it reads back as stored", async () => {
  const values = Float32Array.from({ length: 16 * 96 }, (_, i) => Math.sin(i * i) * 0.1);
  for (const format of ["gptq", "gptq_v2", "awq"]) {
    const codec = codecOf({ format, group: GROUP, symmetric: false });
    const parts: Parts = codec.encode(values, 16, 96);
    const stored: StoredInMemory = {
      shape: [16, 96],
      format: format === "awq" ? "awq" : "gptq",
      parts: Object.fromEntries(Object.entries(parts).map(([name, { buffer }]) => [name, new Uint8Array(buffer)])),
      params: { bits: 4, groupSize: GROUP, groups: 3, zeroOffset: format === "gptq" ? 1 : 0, scales: "f16" },
    };
    const found = await read(w.tensor("x", [16, 96]), memorySource({ x: stored }), "f32");
    expect([...found.data]).toEqual([...codec.decode(parts, 16, 96)]);
  }
});

test("a group that isn't there is refused, not read past the end", async () => {
  const tensors = goldenTensors("quant_gptq");
  const layer = Object.keys(tensors)
    .find((name) => name.endsWith(".qweight"))!
    .replace(".qweight", "");
  tensors[`${layer}.g_idx`]!.data[7] = 99;
  const { stored } = gptq(tensors, layer, 1);
  await expect(read(w.tensor("x", stored.shape), memorySource({ x: stored }), "f32")).rejects.toMatchObject({
    code: "stored-invalid",
    message: expect.stringMatching(/^x: input 7 is of group 99, of \d+$/),
  });
});
