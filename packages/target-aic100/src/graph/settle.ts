import type { Graph } from "@llm/core-ir";
import { TargetError } from "@llm/target";
import { parseMesh } from "@llm/target/mesh";
import type { FixedShapes } from "@llm/target/shapes";
import { type ContextLengths, contextLengths } from "../compile/comp-ctx-lengths.ts";
import { coresOf, sharedBy } from "../devices.ts";
import type { Aic100Options, SdkChoice } from "../options.ts";
import { MOST_CANDIDATES } from "./sampler-ports.ts";

/** Everything about a model's graph and calls that its options decide. */
export interface Settled {
  readonly generation: "positions" | "index";
  readonly shapes: FixedShapes;
  readonly ctxLen: number;
  /** What the graph computes in; what the card makes of float32 is the compiler's matter. */
  readonly dtype: "f32" | "f16";
  /** What linears' weights are kept in, where it is not `dtype`. */
  readonly weights: "mxfp6" | undefined;
  /** What keys and values are kept in, where it is not `dtype`. */
  readonly cache: "mxint8" | "fp16" | undefined;
  readonly replicas: number;
  /** Programs that share each layer. */
  readonly ranks: number;
  /** Lengths of the cache that calls can be had for; absent: the whole only. */
  readonly compContexts: ContextLengths | undefined;
  /** Of a graph that chooses tokens itself. */
  readonly sampler: { readonly candidates: number; readonly guided: boolean } | undefined;
  readonly subFunctions: boolean;
  readonly opset: number;
  /** Whether what is float32 here will be fp16 on the card. */
  readonly clip: boolean;
}

/** The library of the time wrote 13 by index, and compilers take files that are older than they are. */
export const OPSETS: Readonly<Record<Settled["generation"], number>> = { positions: 17, index: 13 };

/** SDKs before the graphs that write at positions. */
const BY_INDEX: readonly SdkChoice[] = ["recipe", "2024-05"];

/** Which form of the graph an SDK takes. */
export function generationOf(sdk: SdkChoice): Settled["generation"] {
  return BY_INDEX.includes(sdk) ? "index" : "positions";
}

/** Throws for a context that is longer than the model's, and for more candidates than it has tokens. */
export function checkModel(model: Graph, options: Aic100Options): void {
  const { ctxLen, maxTopKIds } = options;
  const most = model.dims.context?.max ?? ctxLen;
  if (ctxLen > most) throw invalid(`--ctx-len ${ctxLen}: this model takes at most ${most} tokens`);
  const vocab = model.outputs.find(({ id }) => id === "logits")?.type.shape.at(-1);
  // What is used unless something is said is as much as there is.
  if (maxTopKIds !== MOST_CANDIDATES && typeof vocab === "number" && maxTopKIds > vocab)
    throw invalid(`--max-top-k-ids ${maxTopKIds}: this model has ${vocab} tokens`);
}

/** The options, once they make sense together. */
export function settle(options: Aic100Options): Settled {
  const { sdk, batchSize, fullBatchSize, promptLen, numSpeculativeTokens, ctxLen, compCtxLengths } = options;
  const generation = generationOf(sdk);
  const ranks = ranksOf(options);
  sharedBy(options);
  coresOf(options);
  if (promptLen >= ctxLen) throw invalid(`--prompt-len ${promptLen} has to be less than --ctx-len ${ctxLen}`);
  if (generation === "index") {
    if (fullBatchSize > 0)
      throw invalid(`--full-batch-size: SDK ${sdk} writes all rows at one place; choose --sdk-profile 1.21`);
    if (numSpeculativeTokens > 0)
      throw invalid(`--num-speculative-tokens: not with SDK ${sdk}; choose --sdk-profile 1.21`);
    if (compCtxLengths.length > 0) throw invalid(`--comp-ctx-lengths: not with SDK ${sdk}; choose --sdk-profile 1.22`);
    if (options.onDeviceSampling) throw invalid(`--on-device-sampling: not with SDK ${sdk}; choose --sdk-profile 1.22`);
  }
  if (numSpeculativeTokens > 0 && compCtxLengths.length > 0)
    throw invalid("--comp-ctx-lengths and --num-speculative-tokens don't go together");
  if (numSpeculativeTokens > 0 && options.onDeviceSampling)
    throw invalid("--on-device-sampling and --num-speculative-tokens don't go together: guesses would count as said");
  if (options.includeGuidedDecoding && !options.onDeviceSampling)
    throw invalid("--include-guided-decoding is for --on-device-sampling: masks are applied here without it");
  if (batchSize > 1 && fullBatchSize > 0 && batchSize !== fullBatchSize)
    throw invalid(
      `--batch-size ${batchSize} and --full-batch-size ${fullBatchSize}: with continuous batching ${fullBatchSize} are decoded together; leave --batch-size out`,
    );
  const format = options.mxfp6 && options.format === "fp16" ? "mx6" : options.format;
  if (format === "fp32" && !options.emulate)
    throw invalid("--format fp32 is the emulator's: add --emulate, or choose fp16");
  // Older SDKs take float32 graphs and make halves of them themselves.
  const dtype = format === "fp32" || generation === "index" ? "f32" : "f16";
  return {
    generation,
    shapes: {
      slots: fullBatchSize > 0 ? fullBatchSize : batchSize,
      prefill: promptLen,
      decode: 1 + numSpeculativeTokens,
      batchIndex: fullBatchSize > 0,
    },
    ctxLen,
    dtype,
    weights: format === "mx6" ? "mxfp6" : undefined,
    cache: options.mxint8 ? "mxint8" : dtype === "f32" && format !== "fp32" ? "fp16" : undefined,
    replicas: options.replicateKvHeads,
    ranks,
    compContexts:
      compCtxLengths.length > 0
        ? contextLengths({ prefill: compCtxLengths, decode: compCtxLengths }, { promptLen, ctxLen })
        : undefined,
    sampler: options.onDeviceSampling
      ? { candidates: options.maxTopKIds, guided: options.includeGuidedDecoding }
      : undefined,
    subFunctions: options.subFunctions,
    clip: dtype === "f32" && format !== "fp32",
    opset: OPSETS[generation],
  };
}

function ranksOf({ mesh = "1x1", onDeviceSampling }: Aic100Options): number {
  const { mp, pp } = parseMesh(mesh);
  if (pp > 1) throw invalid(`--mesh ${mesh}: programs share layers, 1x2 or 1x4, and have none of their own`);
  if (mp > 1 && onDeviceSampling)
    throw invalid("--mesh and --on-device-sampling don't go together: no program has all logits");
  return mp;
}

function invalid(message: string): TargetError {
  return new TargetError("option-invalid", message);
}
