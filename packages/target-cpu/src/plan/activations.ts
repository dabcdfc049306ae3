import type { Graph, Op, Value } from "@llm/core-ir";
import { DTYPES } from "@llm/tensor";
import { chunkOf } from "../pipeline.ts";
import { tokensAtOnce, wholeUpTo } from "../session/pieces.ts";
import { peakBytes, sizeOfValue } from "./liveness.ts";

const USUAL_RANK = 16;

/** Of a float32 activation, what it takes in 8 bits with a scale and a sum for every 32. */
const ROUNDED = (1 + 8 / 32) / 4;

/** A call's tokens, and how many its sequence has then. */
interface CallSizes {
  readonly seq: number;
  readonly total: number;
}

/** What is there while nets of one process compute, in bytes. */
export interface Activations {
  /** At most, while a prompt goes through. */
  readonly prompt: number;
  /** For each slot, while all decode. */
  readonly token: number;
  /** A slot's last logits, which a session keeps. */
  readonly logits: number;
}

/** What a net needs while it computes, for slots of so many tokens of a model of this width. */
export function activationsOf(graph: Graph, context: number, width: number): Activations {
  const chunk = chunkOf(
    graph.inputs.map(({ id }) => id),
    context,
  );
  const during = (seq: number, total: number) => {
    const sizes = { ...usualRanks(graph), batch: 1, seq, total, outputs: 0, reads: 0, context };
    return peakBytes(graph, sizes, (op) => ownBytes(op, sizes));
  };
  // The deepest row that goes through at once, and the deepest of all.
  const whole = during(chunk, Math.min(context, Math.max(chunk, wholeUpTo(width, chunk))));
  const deepest = during(Math.min(chunk, tokensAtOnce(width, context)), context);
  const logits = graph.outputs.find(({ id }) => id === "logits");
  return {
    prompt: Math.max(whole, deepest),
    token: during(1, context),
    logits: logits ? sizeOfValue(logits, { outputs: 1 }) : 0,
  };
}

/** With so many slots. */
export function activationBytes({ prompt, token, logits }: Activations, slots: number): number {
  return Math.max(prompt, slots * token) + slots * logits;
}

/** How many slots have room in so many bytes, each with a cache of its own. */
export function slotsIn(bytes: number, cache: number, { prompt, token, logits }: Activations): number {
  const rooms = [(bytes - prompt) / (cache + logits), bytes / (cache + logits + token)];
  return Math.max(0, Math.floor(Math.min(...rooms)));
}

/** Ranks of adapters, for models that take some: what is computed with them; their matrices come when they are loaded. */
function usualRanks({ dims }: Graph): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.keys(dims).map((symbol) => [symbol, USUAL_RANK]));
}

/**
 * What an op keeps for itself: queries, keys and values head by head, and scores of every head, query and key; activations in 8
 * bits; runs of rows before they are put together.
 */
function ownBytes({ kind, ins, outs, attrs }: Op, sizes: CallSizes): number {
  const bytes = (value: Value | null | undefined) => (value ? sizeOfValue(value, { ...sizes }) : 0);
  switch (kind) {
    case "GroupQueryAttention": {
      const scores = (attrs.heads as number) * sizes.seq * sizes.total * DTYPES.f32.bytes;
      return scores + bytes(ins[0]) + bytes(ins[1]) + bytes(ins[2]);
    }
    case "MatMulNBits":
      return bytes(ins[0]) * ROUNDED;
    case "GroupedLinear":
      return bytes(ins[0]) + bytes(outs[0]);
    default:
      return 0;
  }
}
