import { describe, expect, test } from "vitest";
import { loadAddon } from "../addon.ts";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { nativeCodecLevels, nativeCodecs, tuneNativeCodecs } from "./index.ts";

const there = nativeCodecs() !== undefined;

test("without an addon there are none, and no reason to stop", () => {
  expect(loadAddon({ env: { LLM_ADDON: "off" } }).addon).toBeUndefined();
  expect(nativeCodecLevels().length > 0).toBe(there);
});

// That they give the right bits is tested where both versions are at hand: packages/tensor/src/fast-codecs.test.ts.
describe.skipIf(skipWithout(there))("the addon's codecs", () => {
  const codecs = nativeCodecs()!;

  test("every processor has the base, last", () => {
    expect(nativeCodecLevels().at(-1)).toBe("base");
    expect(() => tuneNativeCodecs({ level: "no such" })).toThrow(RangeError);
  });

  test("say what they can't do", () => {
    expect(codecs.convert("f64", "f32", new Float64Array(1), new Float32Array(1))).toBeUndefined();
    expect(codecs.decodeBlocks("q9", new Uint8Array(32), new Float32Array(32))).toBe(false);
    expect(codecs.decodeBlocks("q4_0", new Uint8Array(18), new Float32Array(31))).toBe(false);
    expect(codecs.encodeBlocks("q4_K", new Float32Array(256), new Uint8Array(144))).toBe(false);
    expect(codecs.mx("mxfp9", new Float32Array(32), 1, 32)).toBe(false);
  });

  const values = new Float32Array(64);
  const shape = { bits: 4, group: 32, symmetric: false, scales: "f16" } as const;
  const linear = {
    bits: 4,
    outputs: 8,
    inputs: 8,
    wordColumns: 8,
    skipped: 0,
    byInput: true,
    words: new Uint32Array(8),
    scales: new Float32Array(8),
    zeros: new Float32Array(8),
    groupOf: new Int32Array(8),
    places: Uint8Array.from({ length: 8 }, (_, i) => i),
  };
  const lanes = { bits: 4, group: 32, symmetric: false, channel: false } as const;
  const lanesValues = new Float32Array(64 * 32);
  const laneParts = { data: new Uint8Array(1024), scales: new Uint16Array(64), zeros: new Uint8Array(64) };
  const words = { group: 32, symmetric: true, zeroOffset: 1, byInput: true, places: linear.places } as const;
  const wordParts = { words: new Uint32Array(8), zeros: new Uint32Array(1), scales: new Uint16Array(8) };
  test.each<[string, () => unknown]>([
    ["a source", () => codecs.convert("f16", "f32", new Uint16Array(3), new Float32Array(4))],
    ["packed blocks", () => codecs.decodeBlocks("q4_0", new Uint8Array(35), values)],
    ["room for blocks", () => codecs.encodeBlocks("q8_0", values, new Uint8Array(67))],
    ["a matrix", () => codecs.int8(values, 3, 32, 32)],
    ["scales", () => codecs.int8(values, 2, 32, 32, { data: new Int8Array(64), scales: new Uint16Array(1) })],
    ["codes", () => codecs.nBits(values, 2, 32, shape, { data: new Uint8Array(31), scales: new Uint16Array(2) })],
    ["zero points", () => codecs.nBits(values, 2, 32, shape, { data: new Uint8Array(32), scales: new Uint16Array(2) })],
    ["elements", () => codecs.mx("mxfp6_e2m3", values, 2, 32, { data: new Uint8Array(47), scales: new Uint8Array(2) })],
    ["words", () => codecs.unpackLinear({ ...linear, words: new Uint32Array(7) }, values)],
    ["groups' scales", () => codecs.unpackLinear({ ...linear, groupOf: new Int32Array(8).fill(1) }, values)],
    ["a linear's values", () => codecs.unpackLinear(linear, values.subarray(1))],
    ["a linear's lanes", () => codecs.lanes(values, 64, 32, lanes)],
    ["lanes that rows don't fill", () => codecs.lanes(values, 2, 32, lanes, laneParts)],
    ["lanes' codes", () => codecs.lanes(lanesValues, 64, 32, lanes, { ...laneParts, data: new Uint8Array(1023) })],
    ["lanes' scales", () => codecs.lanes(lanesValues, 64, 32, lanes, { ...laneParts, scales: new Uint16Array(63) })],
    ["groups that cut a row's lanes", () => codecs.lanes(lanesValues, 64, 24, lanes)],
    ["words to fill", () => codecs.packLinear(values, 8, 8, words, { ...wordParts, words: new Uint32Array(7) })],
    ["words' zero points", () => codecs.packLinear(values, 8, 8, words, { ...wordParts, zeros: new Uint32Array(0) })],
    ["words' scales", () => codecs.packLinear(values, 8, 8, words, { ...wordParts, scales: new Uint16Array(7) })],
    ["rows that fill no word", () => codecs.packLinear(values, 4, 8, words, wordParts)],
    ["places", () => codecs.packLinear(values, 8, 8, { ...words, places: Uint8Array.of(0, 1) }, wordParts)],
    ["a place past the word", () => codecs.packLinear(values, 8, 8, { ...words, places: new Uint8Array(8).fill(8) })],
  ])("%s too short or of no use is refused, nothing past an array is touched", (_, call) => {
    expect(call).toThrow();
  });

  // Products that leave 0 or little of 64 bits.
  const small = new Float32Array(16);
  const into = { data: new Uint8Array(64), scales: new Uint16Array(16), zeros: new Uint8Array(16) };
  test.each<[string, () => unknown]>([
    ["int8", () => codecs.int8(small, 2 ** 33, 2 ** 31, 32)],
    ["int8's bytes", () => codecs.int8(small, 2 ** 32, 2 ** 30, 32)],
    ["int8's scales", () => codecs.int8(small, 2 ** 33, 2 ** 31, 2 ** 31, into)],
    ["nBits", () => codecs.nBits(small, 2 ** 33, 2 ** 31, shape)],
    ["nBits' codes", () => codecs.nBits(small, 2 ** 52, 2 ** 12, { ...shape, bits: 8 }, into)],
    ["mx", () => codecs.mx("mxfp4", small, 2 ** 31, 2 ** 33)],
    ["mx's elements", () => codecs.mx("mxint8", small, 2 ** 33, 2 ** 31, into)],
    ["linear's words", () => codecs.unpackLinear({ ...linear, inputs: 2 ** 35, wordColumns: 2 ** 32 }, small)],
    ["linear's values", () => codecs.unpackLinear({ ...linear, outputs: 2 ** 33, inputs: 2 ** 31 }, small)],
    ["lanes", () => codecs.lanes(small, 2 ** 33, 2 ** 31, lanes)],
    ["lanes' codes", () => codecs.lanes(small, 2 ** 33, 2 ** 31, lanes, into)],
    ["words", () => codecs.packLinear(small, 2 ** 33, 2 ** 31, words)],
    ["linear's groups", () => codecs.unpackLinear({ ...linear, groupOf: new Int32Array(8).fill(2 ** 31 - 1) }, values)],
  ])("%s: sizes whose product has no room in 64 bits are refused", (_, call) => {
    expect(call).toThrow(RangeError);
  });

  test("what fits is taken", () => {
    expect(codecs.lanes(lanesValues, 64, 32, lanes, laneParts)).toBe(true);
    expect(codecs.packLinear(values, 8, 8, words, wordParts)).toBe(true);
  });

  test("an empty matrix is no work", () => {
    expect(codecs.int8(new Float32Array(), 0, 32, 32)).toBe(true);
    expect(codecs.convert("f32", "f16", new Float32Array(), new Uint16Array())).toBe(0);
  });
});
