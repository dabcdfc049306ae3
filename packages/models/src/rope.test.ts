import { describe, expect, it } from "vitest";
import { Config } from "./config.ts";
import { inverseFrequencies, readRope } from "./rope.ts";

const partly = (raw: Record<string, unknown>) =>
  readRope(new Config({ max_position_embeddings: 128, ...raw }), { headDim: 8, partialFactor: 1 });
const rope = (raw: Record<string, unknown>, headDim = 8) =>
  readRope(new Config({ max_position_embeddings: 128, ...raw }), { headDim });

describe("readRope", () => {
  it("reads both generations of keys alike", () => {
    const scaling = { rope_type: "linear", factor: 4 };
    const modern = rope({ rope_parameters: { rope_theta: 20_000, ...scaling } });
    expect(rope({ rope_theta: 20_000, rope_scaling: scaling })).toEqual(modern);
    expect(rope({ rope_theta: 20_000, rope_scaling: { type: "linear", factor: 4 } })).toEqual(modern);
    expect(modern.freqs).toEqual(inverseFrequencies(20_000, 8).map((f) => f / 4));
  });

  it("turns a part of the head where the published class does, by any of the names", () => {
    expect(partly({ partial_rotary_factor: 0.5 }).dims).toBe(4);
    expect(partly({ rotary_pct: 0.25 }).dims).toBe(2);
    expect(partly({ rope_parameters: { rope_theta: 1e4, partial_rotary_factor: 0.5 } }).dims).toBe(4);
    expect(rope({ partial_rotary_factor: 0.5 }).dims).toBe(8);
  });

  it("keeps short waves and stretches long ones (llama3)", () => {
    const scaling = {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 64,
    };
    const { freqs } = rope({ rope_theta: 10_000, rope_scaling: scaling }, 16);
    const plain = inverseFrequencies(10_000, 16);
    expect(freqs[0]).toBe(plain[0]); // 64 / 2π ≈ 10 turns: more than 4
    expect(freqs[7]).toBe(plain[7] / 8); // far less than one turn
    expect(freqs[1]).toBeGreaterThan(plain[1] / 8); // 3.2 turns: between the two
    expect(freqs[1]).toBeLessThan(plain[1]);
  });

  it("has other frequencies beyond the original length (longrope, dynamic)", () => {
    const long = rope({
      original_max_position_embeddings: 32,
      rope_scaling: { type: "longrope", short_factor: [1, 1, 1, 1], long_factor: [2, 2, 2, 2] },
    });
    expect(long.beyond).toEqual({ above: 32, freqs: long.freqs.map((f) => f / 2) });
    expect(long.factor).toBeCloseTo(Math.sqrt(1 + Math.log(4) / Math.log(32)), 12);
    expect(rope({ rope_scaling: { type: "dynamic", factor: 2 } }).beyond).toEqual({
      above: 128,
      ntk: { base: 10_000, factor: 2 },
    });
  });

  it("scales attention with YaRN's formula unless the config gives the factor", () => {
    const scaling = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 32 };
    expect(rope({ rope_scaling: scaling }).factor).toBeCloseTo(0.1 * Math.log(4) + 1, 12);
    expect(rope({ rope_scaling: { ...scaling, attention_factor: 1.5 } }).factor).toBe(1.5);
  });

  it("finds theta beside the new field too, and lets the older field win where a config has both", () => {
    expect(rope({ rope_theta: 500_000, rope_parameters: { rope_type: "default" } }).freqs).toEqual(
      inverseFrequencies(500_000, 8),
    );
    const both = rope({
      rope_parameters: { rope_type: "default", rope_theta: 20_000 },
      rope_scaling: { type: "linear", factor: 2 },
    });
    expect(both.freqs).toEqual(inverseFrequencies(20_000, 8).map((f) => f / 2));
  });

  it.each([
    [{ rope_theta: 0 }, "rope_theta is 0, not a number above 0"],
    [{ rope_scaling: { rope_type: "linear", factor: 0 } }, "rope_scaling.factor is 0, not a number above 0"],
    [
      { rope_scaling: { type: "longrope", short_factor: [0, 1, 1, 1], long_factor: [1, 1, 1, 1] } },
      "short_factor has 0, not a number above 0",
    ],
  ])("refuses numbers that make no frequencies: %j", (raw, message) => {
    expect(() => rope(raw)).toThrow(message);
  });

  it("refuses factors by length, which would change the numbers", () => {
    const scaling = { type: "longrope", short_factor: [1, 1, 1, 1], long_factor: [2, 2, 2, 2], long_mscale: 1.2 };
    expect(() => rope({ original_max_position_embeddings: 32, rope_scaling: scaling })).toThrow(
      "config.json: rope_scaling.long_mscale is 1.2, which is not supported",
    );
  });

  it("refuses a scaling that nobody implements, by name", () => {
    expect(() => rope({ rope_scaling: { rope_type: "spiral" } })).toThrow(
      'rope_scaling.rope_type is "spiral", which is not supported',
    );
    expect(() => rope({ rope_scaling: { rope_type: "linear" } })).toThrow("field rope_scaling.factor is missing");
  });
});
