import { readFileSync, writeFileSync } from "node:fs";
import { openOrt } from "@llm/runtime-native/ort";
import type { Row, Session } from "@llm/target";
import { codecOf, f16ToF32 } from "@llm/tensor";
import { describe, expect, test } from "vitest";
import { PositionsSession } from "../session/positions-session.ts";
import { buildGolden, EMULATED } from "../testing/build-golden.ts";
import { EmulatedCard } from "./emulated-card.ts";
import { openEmulator } from "./open-emulator.ts";
import { indexConstants, overrideIndices } from "./override-indices.ts";
import { roundCacheTo } from "./round-cache.ts";

const PROMPT = Int32Array.from([5, 9, 200, 31, 77, 8, 3, 120, 44]);

function whole(last: number): Row {
  return { slot: 0, at: 0, tokens: PROMPT, want: { kind: "logits", last } };
}

/** Logits of the prompt's last tokens, the prompt in pieces of what the session takes. */
async function logitsOf(session: Session, last: number): Promise<Float32Array> {
  const split = PROMPT.length - last;
  for (let at = 0; at < split; at += session.limits.chunk)
    await session.step([{ slot: 0, at, tokens: PROMPT.slice(at, Math.min(split, at + session.limits.chunk)) }]);
  const [result] = await session.step([{ ...whole(last), at: split, tokens: PROMPT.slice(split) }]);
  return result!.logits!.slice();
}

function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, x, i) => Math.max(most, Number.isNaN(x) ? Number.POSITIVE_INFINITY : Math.abs(x - b[i]!)), 0);
}

describe("the emulated file", () => {
  test("is the one that would be compiled, but for constants that are no place", async () => {
    using built = await buildGolden("mistral_swa", { fullBatchSize: 2, promptLen: 4 });
    const { folder } = built.artefact;
    const [model, twin] = ["model.onnx", "emulator.onnx"].map((name) => readFileSync(`${folder}/${name}`)) as [
      Buffer,
      Buffer,
    ];
    const constants = indexConstants(model);
    expect(constants.length).toBeGreaterThan(0);
    const differing = [...model.keys()].filter((at) => model[at] !== twin[at]);
    expect(differing).toEqual(constants.map((at) => at + 3)); // 0x7fffffff and 0xffffffff differ in their highest byte
    expect(indexConstants(twin)).toEqual([]);
    expect(Buffer.from(overrideIndices(model)).equals(twin)).toBe(true);
  });

  test.each([{ fullBatchSize: 2 }, { sdk: "recipe" }, { subFunctions: true }] as const)(
    "%j: is made of what is exported without an emulator",
    async (options) => {
      const files = await Promise.all(
        [true, false].map(async (emulate) => {
          using built = await buildGolden("gpt2", { promptLen: 4, format: "fp16", emulate, ...options });
          return readFileSync(`${built.artefact.folder}/model.onnx`);
        }),
      );
      expect(files[0]!.equals(files[1]!)).toBe(true);
    },
  );

  test("is refused when it is another model", async () => {
    using built = await buildGolden("gpt2", { promptLen: 4 });
    const file = `${built.artefact.folder}/emulator.onnx`;
    const bytes = readFileSync(file);
    bytes[bytes.length - 3]! ^= 1;
    writeFileSync(file, bytes);
    await expect(openEmulator(built.artefact, EMULATED)).rejects.toThrow("not the model that would be compiled");
  });

  test("needs the index of nowhere only where positions are written", async () => {
    using built = await buildGolden("gpt2", { sdk: "recipe", promptLen: 4 });
    expect(indexConstants(readFileSync(`${built.artefact.folder}/model.onnx`))).toEqual([]);
  });

  test("is marked in the manifest, and only it runs here", async () => {
    using emulated = await buildGolden("gpt2", { promptLen: 4 });
    expect(emulated.artefact.manifest.options).toMatchObject({ emulate: true });
    expect(emulated.artefact.manifest.files.map(({ path }) => path)).toContain("emulator.onnx");
    using exported = await buildGolden("gpt2", { promptLen: 4, emulate: false, format: "fp16" });
    expect(exported.artefact.manifest.files.map(({ path }) => path)).not.toContain("emulator.onnx");
  });
});

describe("number formats", () => {
  test("MXFP6 weights give other logits, near the exact ones; halves give nearer ones", async () => {
    const logits: Record<string, Float32Array> = {};
    for (const format of ["fp32", "fp16", "mx6"] as const) {
      using built = await buildGolden("gemma3_text", { promptLen: 4, format });
      const session = await openEmulator(built.artefact, EMULATED, { fill: Number.NaN });
      logits[format] = await logitsOf(session, 1);
      await session.close();
    }
    const [half, six] = [logits.fp16!, logits.mx6!].map((got) => distance(got, logits.fp32!)) as [number, number];
    expect(half).toBeGreaterThan(0);
    expect(half).toBeLessThan(0.01);
    expect(six).toBeGreaterThan(half);
    expect(six).toBeLessThan(1);
  });

  test.each([
    ["1.22", "fp16"],
    ["recipe", "mx6"],
  ] as const)("SDK %s: MXINT8 caches hold nothing that MXINT8 can't", async (sdk, format) => {
    using built = await buildGolden("llama_mha", { promptLen: 4, mxint8: true, sdk, format });
    const model = await openOrt(`${built.artefact.folder}/emulator.onnx`, { threads: 1 });
    const card = new EmulatedCard(model, { slots: 1, ctxLen: 32, round: roundCacheTo("mxint8") });
    const width = 4;
    const bigs = (numbers: number[]) => BigInt64Array.from(numbers, BigInt);
    await card.call({
      input_ids: { dtype: "i64", shape: [1, width], data: bigs([4, 7, 9, 11]) },
      position_ids: { dtype: "i64", shape: [1, width], data: bigs([0, 1, 2, 3]) },
      ...(sdk === "recipe" ? { cache_index: { dtype: "i64", shape: [1], data: bigs([0]) } as const } : {}),
    });
    const { dtype, shape, data } = card.retained("past_key.0")!;
    const values = dtype === "f16" ? f16ToF32(data as Uint16Array) : (data as Float32Array);
    const again = values.slice();
    codecOf({ format: "mxint8" }).round(again, values.length / shape.at(-1)!, shape.at(-1)!);
    expect(again).toEqual(values);
    expect(values.some((x) => x !== 0)).toBe(true);
    await card.close();
  });
});

describe("shapes", () => {
  test("a draft's tokens are answered by one call", async () => {
    using built = await buildGolden("gpt2", { promptLen: 8, numSpeculativeTokens: 3 });
    const model = await openOrt(`${built.artefact.folder}/emulator.onnx`, { threads: 1 });
    const card = new EmulatedCard(model, { slots: 1, ctxLen: 64, fill: Number.NaN });
    const kept: number[] = [];
    const counting = Object.assign(Object.create(card) as EmulatedCard, {
      vocab: card.vocab,
      inputs: card.inputs,
      call: (inputs: Parameters<EmulatedCard["call"]>[0]) => {
        kept.push(inputs.num_logits_to_keep!.shape[0]!);
        return card.call(inputs);
      },
      close: () => card.close(),
    });
    const shapes = { slots: 1, prefill: 8, decode: 4, batchIndex: false };
    const none = { prefill: [], decode: [] };
    const session = new PositionsSession(counting, { shapes, ctxLen: 64, width: 8, rings: false, compContexts: none });
    const drafted = await logitsOf(session, 4);
    expect(kept).toEqual([1, 4]); // the five tokens before are a prompt's
    using plain = await buildGolden("gpt2", { promptLen: 4 });
    const other = await openEmulator(plain.artefact, EMULATED);
    expect(distance(drafted, await logitsOf(other, 4))).toBeLessThan(1e-4);
    await session.close();
    await other.close();
  });

  test("shorter contexts are taken while they have all tokens", async () => {
    using built = await buildGolden("gpt2", { promptLen: 4, compCtxLengths: [1024] });
    const model = await openOrt(`${built.artefact.folder}/emulator.onnx`, { threads: 1 });
    const card = new EmulatedCard(model, { slots: 1, ctxLen: 64, fill: Number.NaN });
    const lengths: number[] = [];
    const watched = Object.assign(Object.create(card) as EmulatedCard, {
      vocab: card.vocab,
      inputs: card.inputs,
      call: (inputs: Parameters<EmulatedCard["call"]>[0]) => {
        lengths.push(inputs.comp_ctx_lengths!.shape[0]!);
        return card.call(inputs);
      },
      close: () => card.close(),
    });
    const shapes = { slots: 1, prefill: 4, decode: 1, batchIndex: false };
    const compContexts = { prefill: [4, 64], decode: [8, 64] };
    const session = new PositionsSession(watched, { shapes, ctxLen: 64, width: 8, rings: false, compContexts });
    const short = await logitsOf(session, 1);
    expect(lengths).toEqual([4, 64, 64]);
    using plain = await buildGolden("gpt2", { promptLen: 4 });
    const other = await openEmulator(plain.artefact, EMULATED);
    expect(distance(short, await logitsOf(other, 1))).toBeLessThan(1e-4);
    await session.close();
    await other.close();
  });
});
