import { TargetError } from "@llm/target";
import type { FixedShapes } from "@llm/target/shapes";
import {
  ACCEPTED,
  MIN_PS,
  NEXT_TOKENS,
  PRESENCE_BUFFER,
  PRESENCE_PENALTIES,
  RANDOM_NUMBERS,
  REPETITION_BUFFER,
  REPETITION_PENALTIES,
  TEMPERATURES,
  TOKEN_BITMASKS,
  TOP_KS,
  TOP_PS,
} from "../graph/sampler-ports.ts";
import type { Network } from "../inspect/network.ts";
import { RETAINED } from "./retained.ts";

/** What a QPC's shapes say of the calls that it takes. */
export interface CallShapes {
  /** Rows share one place to write at (recipe), or each has its own. */
  readonly generation: "index" | "positions";
  readonly shapes: FixedShapes;
  readonly ctxLen: number;
  /** Lengths of the cache that calls can be had for; empty: the whole only. */
  readonly compContexts: { readonly prefill: readonly number[]; readonly decode: readonly number[] };
  /** Whether some layers keep less than the whole context. */
  readonly rings: boolean;
  /** Of one that chooses tokens: how many of the best it chooses among. */
  readonly candidates?: number;
}

/** All that a QPC has that chooses tokens, besides masks for guided text. */
const SAMPLER = [
  ...[ACCEPTED, REPETITION_BUFFER, PRESENCE_BUFFER, REPETITION_PENALTIES, PRESENCE_PENALTIES],
  ...[TEMPERATURES, TOP_KS, TOP_PS, MIN_PS, RANDOM_NUMBERS],
];

/** Inputs that a session of each generation gives with its calls, beside those of a sampler. */
const GIVEN: Readonly<Record<CallShapes["generation"], readonly string[]>> = {
  positions: ["input_ids", "position_ids", "batch_index", "num_logits_to_keep", "comp_ctx_lengths", "reach"],
  index: ["input_ids", "position_ids", "cache_index", "reach"],
};

/**
 * Reads them off: a QPC from anywhere says by its shapes how it wants to be called. Only how long its context is may not be
 * seen, where all layers keep less: `context`, where that is known.
 */
export function callShapes({ inputs, outputs, shapes }: Network, context = 0): CallShapes {
  const has = (name: string) => inputs.some((input) => input.name === name);
  const own = Object.fromEntries(inputs.map(({ name, dims }) => [name, { dims }]));
  const all: readonly Shape[] = shapes.length > 0 ? shapes : [own];
  const ids = all.map((shape) => shape.input_ids?.dims ?? []);
  const caches = inputs.filter(({ name }) => /^past_(?:key|value)\.\d+$/.test(name));
  if (ids.some(({ length }) => length !== 2) || caches.length === 0)
    throw new TargetError("artefact-invalid", "this QPC is no language model: it has no input_ids and past_key.0");
  const generation = has("cache_index") ? "index" : "positions";
  const known = [...GIVEN[generation], ...SAMPLER, TOKEN_BITMASKS];
  const unknown = inputs.filter(({ name }) => !known.includes(name) && !RETAINED.test(name));
  if (unknown.length > 0)
    throw new TargetError(
      "unsupported",
      `this QPC wants ${unknown.map(({ name }) => name).join(", ")} with every call, which nothing here makes`,
    );
  const contexts = caches.map(({ dims }) => dims.at(-2)!);
  const ctxLen = Math.max(context, ...contexts);
  const batchIndex = has("batch_index");
  const { prefill, decode } = kindsOf(all.map((shape) => [shape.input_ids!.dims[1]!, keptIn(shape)]));
  // With a batch index there may be more places for sequences than a call has rows.
  const rows = Math.max(...ids.filter((dims) => dims[1] === decode).map((dims) => dims[0]!));
  const places = caches[0]!.dims[0]!;
  const lengths = (width: number) => {
    const list = all
      .filter((shape) => shape.input_ids!.dims[1] === width)
      .map((shape) => shape.comp_ctx_lengths?.dims[0]);
    return list.filter((length) => length !== undefined).sort((a, b) => a - b);
  };
  return {
    generation,
    shapes: { slots: batchIndex ? Math.min(places, rows) : places, prefill, decode, batchIndex },
    ctxLen,
    compContexts: { prefill: lengths(prefill), decode: lengths(decode) },
    rings: contexts.some((length) => length < ctxLen),
    ...(outputs.some(({ name }) => name === NEXT_TOKENS) ? { candidates: candidatesOf(inputs, decode) } : {}),
  };
}

type Shape = Readonly<Record<string, { readonly dims: readonly number[] }>>;

/** How many tokens a call answers for; unsaid where it is the last alone. */
function keptIn({ num_logits_to_keep: kept }: Shape): number {
  return kept?.dims[0] ?? 1;
}

/** Tokens of a prompt's call and of a later one: that of guesses answers for all of its tokens, a prompt's for its last. */
function kindsOf(calls: readonly (readonly [width: number, kept: number])[]): {
  readonly prefill: number;
  readonly decode: number;
} {
  const widths = calls.map(([width]) => width);
  const guesses = calls.filter(([, kept]) => kept > 1);
  if (guesses.length === 0) return { prefill: Math.max(...widths), decode: Math.min(...widths) };
  const decode = Math.max(...guesses.map(([width]) => width));
  const prompts = calls.filter(([, kept]) => kept === 1).map(([width]) => width);
  return { prefill: Math.max(1, ...prompts), decode };
}

function candidatesOf(inputs: Network["inputs"], decode: number): number {
  const found = new Map(inputs.map(({ name, dims }) => [name, dims]));
  const missing = SAMPLER.filter((name) => !found.has(name));
  if (missing.length > 0)
    throw new TargetError("artefact-invalid", `this QPC chooses tokens, but has no input ${missing.join(", ")}`);
  if (decode > 1)
    throw new TargetError("unsupported", "this QPC both checks drafts and chooses tokens: compile it for one of them");
  return found.get(RANDOM_NUMBERS)!.at(-1)!;
}
