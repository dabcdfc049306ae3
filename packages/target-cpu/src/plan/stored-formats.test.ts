import { leavesOf, memorySource, read, type StoredInMemory, type Tensor, type WeightSource } from "@llm/tensor";
import { expect, test } from "vitest";
import { cpuTarget } from "../cpu-target.ts";
import { packedFormat } from "../ort/packed-weights.ts";
import { llama } from "../testing/llama.ts";
import { buildFrom, DEFAULTS } from "../testing/open-golden.ts";
import { chooseCpu } from "./choose.ts";
import { roundedAgain } from "./stored-formats.ts";

const AUTO = { ...DEFAULTS, format: "auto" };
const HALF_SMALL = 0x1400; // 2⁻¹⁰, the scale of a block

/** A checkpoint of a graph whose matrices are blocks of random codes: of Q4_K, or of Q4_0. */
function quantised(graph: ReturnType<typeof llama>, format: "q4_K" | "q4_0"): WeightSource {
  let state = 7;
  const roll = () => (state = (state * 48271) % 2147483647) & 0xff;
  const [values, bytes] = format === "q4_K" ? [256, 144] : [32, 18];
  const tensors: Record<string, Tensor | StoredInMemory> = {};
  for (const { name, shape } of graph.weights.flatMap(({ expr }) => leavesOf(expr))) {
    const count = shape.reduce((size, dim) => size * dim, 1);
    if (shape.length < 2) {
      tensors[name] = { dtype: "f32", shape, data: new Float32Array(count).fill(1) };
      continue;
    }
    const data = Uint8Array.from({ length: (count / values!) * bytes! }, roll);
    const view = new DataView(data.buffer);
    for (let at = 0; at < data.length; at += bytes!) {
      view.setUint16(at, HALF_SMALL, true);
      if (format === "q4_K")
        view.setUint16(at + 2, HALF_SMALL, true); // of the blocks' minima
      else data[at + 2] = 0; // −8 and its scale are what a block was made from
    }
    tensors[name] = { shape, format, parts: { data } };
  }
  return memorySource(tensors);
}

/** How far a weight is from what it was, packed in so many bits: the root of the mean square, relative. */
async function lost(source: WeightSource, bits: number): Promise<number> {
  const of = { op: "tensor", name: "model.layers.0.self_attn.q_proj.weight", shape: [256, 256] } as const;
  const was = (await read(of, source, "f32")).data as Float32Array;
  const is = (await read({ op: "encode", of, format: packedFormat(bits) }, source, "f32")).data as Float32Array;
  const sum = (values: Float32Array, from?: Float32Array) =>
    values.reduce((total, x, i) => total + (x - (from?.[i] ?? 0)) ** 2, 0);
  return Math.sqrt(sum(is, was) / sum(was));
}

test("Q4_K is rounded again by 4 bits and hardly by 8; Q4_0 is held as it is", async () => {
  const graph = llama(256, 1, 64);
  const [k, zero] = [quantised(graph, "q4_K"), quantised(graph, "q4_0")];
  expect(roundedAgain(graph, k)).toEqual(["q4_K"]);
  expect(await lost(k, 4)).toBeGreaterThan(0.02);
  expect(await lost(k, 8)).toBeLessThan(0.005);
  expect(roundedAgain(graph, zero)).toEqual([]);
  expect(await lost(zero, 4)).toBe(0);
});

test("a large checkpoint that was quantised otherwise takes 8 bits, and the line says why", () => {
  const graph = llama(2048, 12, 2048);
  const stored = (format: string) => ({ get: () => ({ format }) }) as unknown as WeightSource;
  const { options, notes } = chooseCpu(graph, AUTO, stored("q4_K"));
  expect(options.format).toBe("int8");
  expect(notes).toEqual([
    expect.stringMatching(/^using int8, [\d.]+ GB: int4 would round q4_K weights a second time; --format fp32/),
  ]);
  for (const format of ["q4_0", "bf16"]) expect(chooseCpu(graph, AUTO, stored(format)).options.format).toBe("int4");
  const asked = chooseCpu(graph, { ...AUTO, format: "int4" }, stored("q4_K"));
  expect(asked).toEqual({ options: { ...AUTO, format: "int4", ctxLen: 2048 }, notes: [] });
});

test("a model of Q4_K weights answers in 8 bits nearly what it answers in floats", async () => {
  const graph = llama(256, 1, 64);
  const source = quantised(graph, "q4_K");
  const model = { name: "k", architecture: "llama", vocab: 1024, width: 256, blocks: 1, context: 64, parameters: 0 };
  const tokens = Int32Array.of(3, 500, 17, 900);
  const logits: Record<string, Float32Array> = {};
  for (const format of ["fp32", "int8", "int4"]) {
    using built = await buildFrom(source, graph, model, { format });
    const session = await cpuTarget.open(built.artefact, { ...DEFAULTS, format });
    logits[format] = (await session.step([{ slot: 0, at: 0, tokens, want: { kind: "logits", last: 4 } }]))[0]!.logits!;
    await session.close();
  }
  const far = (format: string) => Math.hypot(...logits[format]!.map((x, i) => x - logits.fp32![i]!));
  const size = Math.hypot(...logits.fp32!);
  expect(far("int8")).toBeLessThan(0.02 * size);
  expect(far("int4")).toBeGreaterThan(2 * far("int8"));
});
