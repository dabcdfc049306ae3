import type { Graph } from "@llm/core-ir";
import { type DevicePlan, type Plan, TargetError } from "@llm/target";
import { replicas } from "../graph/replicate-kv-heads.ts";
import type { Settled } from "../graph/settle.ts";
import { type Assumed, assume, assumptionsFor } from "./assumptions.ts";
import { CARD_FACTS, type Card, type CardId } from "./cards.ts";
import { type ModelNeeds, modelNeeds, workingSet } from "./model-needs.ts";
import { speedOf } from "./speed.ts";

/** What is planned for. */
export interface PlanRequest {
  readonly card: CardId;
  /** SoCs that share the model; 0: those of one card. */
  readonly devices: number;
  /** Copies of the model, on devices of their own; batches are each copy's. One unless said. */
  readonly copies?: number;
  /** Cores of each SoC that the model takes; all unless said. */
  readonly numCores?: number;
  readonly batchSize: number;
  /** Slots of continuous batching; 0 without. */
  readonly fullBatchSize: number;
  readonly promptLen: number;
  readonly ctxLen: number;
  readonly mxfp6: boolean;
  readonly mxint8: boolean;
  readonly replicateKvHeads: number;
  /** Graphs that write at an index keep every layer's whole context, a window's too. */
  readonly generation?: Settled["generation"];
  /** Assumptions that are said: "reserve=1.5e9". */
  readonly assume?: string;
}

/** No batch beyond this is looked for. */
const MOST_BATCH = 1 << 20;

/** What a model needs on each device, how many sequences fit, and how fast they can be at most. */
export function planAic100(graph: Graph, request: PlanRequest): Plan {
  const card = CARD_FACTS[request.card];
  const count = request.devices || card.shared;
  const { copies = 1 } = request;
  // Of single cards a machine may have any number.
  if (card.socs > 1 && count * copies > card.socs)
    throw new TargetError("option-invalid", `${count * copies} devices: ${card.title} has ${card.socs}`);
  const assumed = assume(card, request.assume);
  const context = Math.min(request.ctxLen, graph.dims.context?.max ?? request.ctxLen);
  const cores = request.numCores ?? card.cores;
  const work: Work = { ...request, context, count, card, cores, assumed, needs: modelNeeds(graph), graph };
  const rows = Math.max(request.fullBatchSize, request.batchSize);
  const used = deviceNeeds(work, rows);
  const all = count * copies;
  const devices = Array.from({ length: all }, (_, at): DevicePlan => {
    return { name: all === 1 ? card.title : `${card.title}, ${card.shared > 1 ? "SoC" : "card"} ${at}`, ...used };
  });
  return {
    fits: used.free >= 0,
    maxBatchSize: mostRows((batch) => deviceNeeds(work, batch).free >= 0),
    devices,
    why: `${why(used, rows, context)}${copies > 1 ? `; ${copies} copies` : ""}`,
    speed: speedOf({ ...work, rows }),
    assumptions: Object.entries(assumptionsFor(card)).map(([name, { unit, why: source }]) => {
      return { name, value: assumed[name as keyof Assumed], unit, why: source };
    }),
  };
}

/** A request with everything that follows from it. */
export interface Work extends Omit<PlanRequest, "card"> {
  readonly context: number;
  readonly count: number;
  readonly card: Card;
  readonly cores: number;
  readonly assumed: Assumed;
  readonly needs: ModelNeeds;
  readonly graph: Graph;
}

function deviceNeeds(work: Work, rows: number): Omit<DevicePlan, "name"> {
  const { assumed } = work;
  const total = Math.floor(assumed.memory * assumed.gigabyte);
  const weights = Math.ceil(weightBytes(work));
  const kv = Math.ceil(cacheBytes(work, rows, work.context));
  const activations = Math.ceil(activationBytes(work, rows));
  const reserve = Math.ceil(assumed.reserve);
  return { total, weights, kv, activations, reserve, free: total - weights - kv - activations - reserve };
}

/** Matrices are shared out; what is looked up or added is small, and whole on every device. */
export function weightBytes({ needs, count, mxfp6, assumed }: Work): number {
  const bits = mxfp6 ? assumed.mxfp6Bits : assumed.weightBits;
  return ((needs.matrices + needs.experts) * bits) / 8 / count + (needs.others * assumed.weightBits) / 8;
}

/** Heads are shared out; a head that several devices need is on each of them. */
export function cacheBytes(work: Work, rows: number, context: number): number {
  const { needs, count, mxint8, assumed, replicateKvHeads, promptLen, generation } = work;
  const bits = mxint8 ? assumed.mxint8Bits : assumed.cacheBits;
  return needs.caches.reduce((total, { heads, queryHeads, width, window }) => {
    const copies = queryHeads === undefined ? 1 : replicas(queryHeads, heads, Math.max(1, replicateKvHeads));
    const own = Math.ceil((heads * copies) / count);
    // A window's ring has room for a call's tokens beside those that they see.
    const isRing = window !== undefined && generation !== "index";
    const places = isRing ? Math.min(context, window + promptLen) : context;
    return total + (rows * own * width * places * bits) / 8;
  }, 0);
}

/** What doesn't fit on the chip, and what passes through memory on its way to the host. */
function activationBytes(
  { graph, promptLen, fullBatchSize, context, count, card, cores, assumed, needs }: Work,
  rows: number,
): number {
  const call = { ctxLen: context, cores };
  // With continuous batching, each prompt is by itself.
  const prefill = workingSet(graph, { ...call, rows: fullBatchSize > 0 ? 1 : rows, tokens: promptLen });
  const decode = workingSet(graph, { ...call, rows, tokens: 1 });
  const working = (Math.max(prefill, decode) * assumed.activationBits) / 8 / count;
  const logits = (rows * needs.vocab * assumed.logitBits) / 8;
  const onChip = (assumed.onChip * assumed.onChipShare * cores) / card.cores;
  return Math.max(0, working - onChip) + logits;
}

/** The most that fits: more sequences never need less. */
function mostRows(fits: (rows: number) => boolean): number {
  if (!fits(1)) return 0;
  let good = 1;
  while (good < MOST_BATCH && fits(good * 2)) good *= 2;
  let bad = good * 2;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (fits(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

function why({ free, weights, kv, total }: Omit<DevicePlan, "name">, rows: number, context: number): string {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  const parts = `of ${gigabytes(total)} on each device, weights take ${gigabytes(weights)} and ${rows} × ${context} tokens of cache ${gigabytes(kv)}`;
  if (free >= 0) return `${parts}; ${gigabytes(free)} are left`;
  return `${parts}: ${gigabytes(-free)} short, ${weights > kv ? "the weights are" : "the caches are"} the larger part`;
}
