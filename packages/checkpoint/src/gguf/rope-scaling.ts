import type { Json, JsonObject } from "../json.ts";
import type { Metadata } from "./metadata.ts";

/** As many rotary frequencies as a head can have; longer lists make no sense. */
const MAX_ROPE_FACTORS = 4096;

/** The `rope_scaling` that a published config would have. */
export async function ropeScaling(metadata: Metadata, context: number): Promise<JsonObject | null> {
  const type = metadata.text("{arch}.rope.scaling.type");
  const long = await metadata.floats("rope_factors_long.weight", MAX_ROPE_FACTORS);
  const short = await metadata.floats("rope_factors_short.weight", MAX_ROPE_FACTORS);
  if (long && short) return longrope(metadata, context, { long_factor: round(long), short_factor: round(short) });
  const factors = await metadata.floats("rope_freqs.weight", MAX_ROPE_FACTORS);
  if (factors) return frequencyFactors(factors, metadata.number("{arch}.rope.freq_base") ?? 10_000, context);

  const original = metadata.number("{arch}.rope.scaling.original_context_length");
  const factor = metadata.number("{arch}.rope.scaling.factor") ?? metadata.number("{arch}.rope.scale_linear");
  if (factor === undefined || type === "none" || (type === undefined && factor === 1)) return null;
  const kind = type ?? "linear";
  const known: Record<string, Json> = { rope_type: kind, type: kind, factor };
  if (original !== undefined) known.original_max_position_embeddings = original;
  const attention = metadata.number("{arch}.rope.scaling.attn_factor");
  // On top of YaRN's own, which the published field has in it.
  if (attention !== undefined && attention !== 1)
    known.attention_factor = attention * (kind === "yarn" ? 1 + 0.1 * Math.log(factor) : 1);
  for (const [key, name] of [
    ["beta_fast", "yarn_beta_fast"],
    ["beta_slow", "yarn_beta_slow"],
  ] as const) {
    const value = metadata.number(`{arch}.rope.scaling.${name}`);
    if (value !== undefined) known[key] = value;
  }
  return known;
}

/** Two sets of factors, and from which length on the longer one's hold. */
function longrope(metadata: Metadata, context: number, factors: JsonObject): JsonObject {
  const scaling: Record<string, Json> = { rope_type: "longrope", type: "longrope", ...factors };
  const original = metadata.number("{arch}.rope.scaling.original_context_length");
  const factor = metadata.number("{arch}.rope.scaling.factor");
  const attention = metadata.number("{arch}.rope.scaling.attn_factor");
  if (original !== undefined) scaling.original_max_position_embeddings = original;
  if (factor !== undefined) scaling.factor = factor;
  const stretch = factor ?? context / (original ?? context);
  const derived = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original ?? context));
  // Converters write what the published code derives, with the precision of a 32-bit float.
  if (attention !== undefined && Math.abs(attention - derived) > 1e-6) scaling.attention_factor = attention;
  return scaling;
}

/** 8192 first, which all published ones have; then whatever somebody trained on. */
const LLAMA3_CONTEXTS = [8192, ...Array.from({ length: 14 }, (_, i) => 2 ** (i + 4))];

/**
 * Llama 3's scaling is stored as what it comes to: a divisor for each frequency. Its four numbers are found again by trying those
 * that models are published with; divisors of another origin stay what they are, as a scaling that takes them as a list.
 */
export function frequencyFactors(factors: readonly number[], theta: number, context: number): JsonObject {
  const factor = Math.max(...factors);
  const usual = LLAMA3_CONTEXTS.map((original) => llama3(factor, 4, original));
  for (const params of [...usual, ...solvedLlama3(factors, theta)]) {
    const expected = llama3Factors(params, theta, factors.length * 2);
    if (expected.every((value, i) => Math.abs(value - factors[i]!) <= 1e-5 * value))
      return { rope_type: "llama3", ...params };
  }
  const list = round(factors);
  return {
    rope_type: "longrope",
    type: "longrope",
    long_factor: list,
    short_factor: list,
    factor: 1,
    attention_factor: 1,
    original_max_position_embeddings: context,
  };
}

/**
 * Two waves in the smooth part give the other numbers: with the low factor 1 (only ratios count), original · turns − s · (high − 1)
 * is 1 for each, where s is how far between stretched and not.
 */
function solvedLlama3(factors: readonly number[], theta: number): Llama3Scaling[] {
  const factor = Math.max(...factors);
  const smooth = factors.flatMap((value, i) => {
    if (value <= 1 || value >= factor) return [];
    const turns = theta ** (-i / factors.length) / (2 * Math.PI);
    return [{ turns, s: (1 / value - 1 / factor) / (1 - 1 / factor) }];
  });
  const [a, b] = [smooth.at(0), smooth.at(-1)];
  if (!a || !b || a === b) return [];
  const determinant = a.s * b.turns - a.turns * b.s;
  const original = (a.s - b.s) / determinant;
  const high = 1 + (a.turns - b.turns) / determinant;
  const whole = Math.round(original);
  return [
    llama3(factor, high, Math.abs(original - whole) < 1e-3 * whole ? whole : original),
    llama3(factor, high, original),
  ];
}

function llama3(factor: number, high: number, original: number): Llama3Scaling & JsonObject {
  return { factor, low_freq_factor: 1, high_freq_factor: high, original_max_position_embeddings: original };
}

export interface Llama3Scaling {
  readonly factor: number;
  readonly low_freq_factor: number;
  readonly high_freq_factor: number;
  readonly original_max_position_embeddings: number;
}

/** Long waves are stretched by the factor, short ones not at all, those between smoothly. */
export function llama3Factors(scaling: Llama3Scaling, theta: number, dims: number): number[] {
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = scaling;
  return Array.from({ length: dims / 2 }, (_, i) => {
    const waves = original / (2 * Math.PI * theta ** ((2 * i) / dims)); // how often it fits into the original context
    if (waves > high) return 1;
    if (waves < low) return factor;
    const smooth = (waves - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

/** Back to the decimals that were meant: 32-bit floats don't hold 1.37. */
function round(values: readonly number[]): number[] {
  return values.map((value) => Number.parseFloat(value.toPrecision(7)));
}
