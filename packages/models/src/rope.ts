import type { Config } from "./config.ts";
import { ModelError } from "./error.ts";

/** The attributes of the graph's `rotary` op that a config decides: data, so that no pass knows where they came from. */
export interface Rope {
  readonly dims: number; // of a head, how many turn
  readonly freqs: readonly number[];
  readonly factor?: number; // on cos and sin
  /** What holds once the whole prompt is longer than `above`: other frequencies, or a base that grows with the length. */
  readonly beyond?: {
    readonly above: number;
    readonly freqs?: readonly number[];
    readonly ntk?: { readonly base: number; readonly factor: number };
  };
}

/** Where configs say how positions turn: of no use to a model that doesn't turn them. */
export const ROPE_FIELDS = ["rope_theta", "rotary_emb_base", "rope_scaling", "rope_parameters"];

const TYPES = ["default", "linear", "dynamic", "llama3", "yarn", "longrope", "su"] as const;

export interface RopeOptions {
  /** Size of a head. */
  readonly headDim: number;
  readonly defaultTheta?: number;
  /** The share of a head that turns where the config doesn't say; absent: the published class turns all, whatever it says. */
  readonly partialFactor?: number;
  /** Of the nested parameters by layer type (Gemma 3), which. */
  readonly layerType?: string;
  /** Theta for that layer type in configs that came before the nested form. */
  readonly legacyTheta?: string;
  /** The length before it was stretched, where the published class has one of its own. */
  readonly defaultOriginal?: number;
}

/**
 * The rotary embedding that a config asks for, in both generations of keys: `rope_parameters`, or `rope_theta` with
 * `rope_scaling`. The formulas are those of the published implementations.
 */
export function readRope(config: Config, options: RopeOptions): Rope {
  const { theta, scaling, partial } = parameters(config, options);
  noteLimits(config);
  const dims = Math.floor(options.headDim * partial);
  const plain = inverseFrequencies(theta, dims);
  const type = scalingType(scaling);
  const original = (from: Config) => originalLength(config, from, options.defaultOriginal);
  if (scaling === undefined || type === "default") {
    config.moot(ORIGINAL_LENGTH);
    return fixed(dims, plain);
  }
  switch (type) {
    case "linear": {
      const factor = scaling.positive("factor");
      return fixed(
        dims,
        plain.map((frequency) => frequency / factor),
      );
    }
    case "dynamic":
      return {
        dims,
        freqs: plain,
        beyond: { above: contextLength(config), ntk: { base: theta, factor: scaling.positive("factor") } },
      };
    case "llama3":
      return fixed(dims, llama3(plain, scaling, original(scaling)));
    case "yarn":
      return yarn(theta, dims, scaling, stretch(config, scaling, original(scaling)), original(scaling));
    case "longrope":
    case "su":
      return longrope(plain, dims, scaling, stretch(config, scaling, original(scaling)), original(scaling));
  }
}

const KIND = ["rope_type", "type"];
/** Phi's mixtures have factors of their own for either length, which nothing here computes. */
const MIXTURES_FACTORS = ["short_mscale", "long_mscale"];

/** What scalings are held to, also where this config has none. */
function noteLimits(config: Config): void {
  for (const place of ["rope_scaling", "rope_parameters"]) {
    for (const kind of KIND) config.limit(`${place}.${kind}`, TYPES);
    for (const factor of MIXTURES_FACTORS) config.limit(`${place}.${factor}`, [null]);
  }
}

function scalingType(scaling: Config | undefined): (typeof TYPES)[number] {
  return scaling?.choice(KIND, TYPES, "default") ?? "default";
}

/**
 * What some classes scale queries and keys by besides `Rope.factor`, where the frequencies are stretched and `mscale_all_dim`
 * asks for it.
 */
export function ropeTemperature(config: Config): number {
  const scaling = config.child("rope_scaling") ?? config.child("rope_parameters");
  const all = scaling?.float("mscale_all_dim", 0);
  if (scaling === undefined || all === undefined || all === 0 || scalingType(scaling) === "default") return 1;
  return yarnScale(stretch(config, scaling, originalLength(config, scaling)), all);
}

interface Parameters {
  readonly theta: number;
  readonly scaling: Config | undefined;
  readonly partial: number;
}

function parameters(config: Config, options: RopeOptions): Parameters {
  const modern = config.child("rope_parameters");
  const nested = options.layerType === undefined ? undefined : modern?.child(options.layerType);
  const own = nested ?? modern;
  const partial = ["partial_rotary_factor", "rotary_pct", "rope_pct"];
  const theta = ["rope_theta", "rotary_emb_base"];
  // Where a config has both, the older field wins, as it does in the published code. A layer type's own parameters are all.
  const older = options.legacyTheta === undefined && nested === undefined ? config.child("rope_scaling") : undefined;
  const scaling = older ?? own;
  const thetaOf = [older, own].find((place) => place?.has("rope_theta"));
  const share = options.partialFactor;
  const shareOf = share === undefined ? undefined : [older, own].find((place) => place?.has(partial));
  if (shareOf !== undefined) config.moot(partial);
  return {
    theta: thetaOf
      ? thetaOf.positive("rope_theta")
      : config.positive(own ? theta : (options.legacyTheta ?? theta), options.defaultTheta ?? 10_000),
    scaling,
    partial: share === undefined ? 1 : (shareOf ?? config).positive(partial, share),
  };
}

/** A frequency over a factor that must make sense. */
function stretched(frequency: number, by: number, key: string): number {
  if (by > 0) return frequency / by;
  throw new ModelError("config-invalid", `config.json: ${key} has ${by}, not a number above 0`);
}

function fixed(dims: number, freqs: readonly number[], factor = 1): Rope {
  return factor === 1 ? { dims, freqs } : { dims, freqs, factor };
}

/** theta^(−2i / dims) for each pair i. */
export function inverseFrequencies(theta: number, dims: number): number[] {
  return Array.from({ length: dims / 2 }, (_, i) => 1 / theta ** ((2 * i) / dims));
}

/** Long wavelengths are stretched by `factor`, short ones kept, those between blended. */
function llama3(plain: readonly number[], scaling: Config, original: number): number[] {
  const factor = scaling.positive("factor");
  const low = scaling.positive("low_freq_factor");
  const high = scaling.positive("high_freq_factor");
  return plain.map((frequency) => {
    const turns = (original * frequency) / (2 * Math.PI); // within the original context
    if (turns < low) return frequency / factor;
    if (turns > high) return frequency;
    const smooth = (turns - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/** How much longer the context became: said, or what the lengths amount to. */
function stretch(config: Config, scaling: Config, original: number): number {
  return scaling.positive("factor", contextLength(config) / original);
}

function contextLength(config: Config): number {
  return config.size(["max_position_embeddings", "n_positions"]);
}

/** YaRN's correction for a context of `factor` times the length. */
function yarnScale(factor: number, mscale = 1): number {
  return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
}

function yarn(theta: number, dims: number, scaling: Config, factor: number, original: number): Rope {
  const fast = scaling.float("beta_fast", 32);
  const slow = scaling.float("beta_slow", 1);
  const truncate = scaling.bool("truncate", true);
  const mscale = scaling.float("mscale", 0);
  const mscaleAll = scaling.float("mscale_all_dim", 0);
  const derived = mscale && mscaleAll ? yarnScale(factor, mscale) / yarnScale(factor, mscaleAll) : yarnScale(factor);
  const pairOf = (turns: number) => (dims * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const from = Math.max(truncate ? Math.floor(pairOf(fast)) : pairOf(fast), 0);
  const until = Math.min(truncate ? Math.ceil(pairOf(slow)) : pairOf(slow), dims - 1);
  const width = until === from ? 0.001 : until - from;
  const inverse = inverseFrequencies(theta, dims).map((frequency, i) => {
    const stretched = Math.min(Math.max((i - from) / width, 0), 1);
    return (frequency / factor) * stretched + frequency * (1 - stretched);
  });
  return fixed(dims, inverse, scaling.float("attention_factor", derived));
}

function longrope(plain: readonly number[], dims: number, scaling: Config, factor: number, original: number): Rope {
  for (const key of MIXTURES_FACTORS) scaling.only(key, null);
  const derived = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  const divided = (key: string) => scaling.numbers(key, dims / 2).map((by, i) => stretched(plain[i], by, key));
  return {
    dims,
    freqs: divided("short_factor"),
    factor: scaling.float("attention_factor", derived),
    beyond: { above: original, freqs: divided("long_factor") },
  };
}

const ORIGINAL_LENGTH = "original_max_position_embeddings";

/**
 * The context before it was stretched: beside the scaling's own fields, it may stand in the config itself, which then holds; so does
 * what a published class takes for it (`or`) where the config has none.
 */
function originalLength(config: Config, scaling: Config, or?: number): number {
  const [outer, own] = [config, scaling].map((place) =>
    place.has(ORIGINAL_LENGTH) ? place.size(ORIGINAL_LENGTH) : undefined,
  );
  return outer ?? (config.given(ORIGINAL_LENGTH) ? undefined : or) ?? own ?? contextLength(config);
}
