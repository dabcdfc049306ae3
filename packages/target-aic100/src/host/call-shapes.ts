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
  TOP_KS,
  TOP_PS,
} from "../graph/sampler-ports.ts";
import type { Network } from "../inspect/network.ts";

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

/** Reads them off: a QPC from anywhere says by its shapes how it wants to be called. */
export function callShapes({ inputs, outputs, shapes }: Network): CallShapes {
  const has = (name: string) => inputs.some((input) => input.name === name);
  const own = Object.fromEntries(inputs.map(({ name, dims }) => [name, { dims }]));
  const all = shapes.length > 0 ? shapes : [own];
  const ids = all.map((shape) => shape.input_ids?.dims ?? []);
  const caches = inputs.filter(({ name }) => /^past_(?:key|value)\.\d+$/.test(name));
  if (ids.some(({ length }) => length !== 2) || caches.length === 0)
    throw new TargetError("artefact-invalid", "this QPC is no language model: it has no input_ids and past_key.0");
  const contexts = caches.map(({ dims }) => dims.at(-2)!);
  const ctxLen = Math.max(...contexts);
  const widths = ids.map((dims) => dims[1]!);
  const [prefill, decode] = [Math.max(...widths), Math.min(...widths)];
  const lengths = (width: number) => {
    const list = all
      .filter((shape) => shape.input_ids!.dims[1] === width)
      .map((shape) => shape.comp_ctx_lengths?.dims[0]);
    return list.filter((length) => length !== undefined).sort((a, b) => a - b);
  };
  return {
    generation: has("cache_index") ? "index" : "positions",
    shapes: { slots: caches[0]!.dims[0]!, prefill, decode, batchIndex: has("batch_index") },
    ctxLen,
    compContexts: { prefill: lengths(prefill), decode: lengths(decode) },
    rings: contexts.some((length) => length < ctxLen),
    ...(outputs.some(({ name }) => name === NEXT_TOKENS) ? { candidates: candidatesOf(inputs, decode) } : {}),
  };
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
