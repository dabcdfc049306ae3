import { type BlockCost, type Graph, meshCosts, stageEdges, type TalkCost, toldElements } from "@llm/core-ir";
import { TargetError } from "../error.ts";
import { devicesOf, type Mesh, meshText } from "./axes.ts";
import { DEFAULT_WORK, type DeviceDescription, type Link, type MeshWork, shareOf } from "./device.ts";

/** One device of a mesh; figures in bytes. Every copy has the same. */
export interface ShardPlan {
  readonly rank: number;
  readonly stage: number;
  readonly weights: number;
  readonly kv: number;
  readonly reserve: number;
  readonly free: number; // negative where it doesn't fit
  /** Bytes that it is told for one token of one sequence, and for one piece of a prompt. */
  readonly toldPerToken: number;
  readonly toldPerChunk: number;
}

/** What a model needs and does on a mesh. */
export interface MeshPlan {
  readonly mesh: Mesh;
  readonly fits: boolean;
  readonly shards: readonly ShardPlan[];
  /** How often devices have to tell one another something for one token. */
  readonly talksPerToken: number;
  /** One token for each sequence of a copy. */
  readonly stepSeconds: number;
  readonly chunkSeconds: number;
  /** Of all copies together, with all sequences busy. */
  readonly tokensPerSecond: number;
  readonly why: string;
}

/** Plans one mesh from the graph alone: nothing is rewritten. */
export function planMesh(graph: Graph, mesh: Mesh, device: DeviceDescription, work: MeshWork = DEFAULT_WORK): MeshPlan {
  return planBlocks(meshCosts(graph, { mp: mesh.mp }), mesh, device, work);
}

/** The same from blocks that are costed already, for the many meshes that share them. */
export function planBlocks(
  blocks: readonly BlockCost[],
  mesh: Mesh,
  described: DeviceDescription,
  work: MeshWork,
): MeshPlan {
  const { mp, pp, dp } = mesh;
  const device = shareOf(described, devicesOf(mesh));
  if (blocks.length < pp)
    throw new TargetError(
      "does-not-fit",
      `${blocks.length} blocks can't be ${pp} stages; give --mesh a smaller third number`,
    );
  const edges = stageEdges(blockSizes(blocks), pp);
  const stages = edges.map((from, i) => blocks.slice(from, edges[i + 1]));
  const sequences = Math.ceil(work.batch / dp);
  const shards = stages.flatMap((stage, i) =>
    Array.from({ length: mp }, (_, rank) => shardPlan(stage, i, rank, mesh, device, work, sequences)),
  );
  const seconds = (tokens: number, outputs: number, held: number) =>
    stages.reduce((sum, stage, i) => {
      const ranks = Array.from({ length: mp }, (_, rank) =>
        computing(stage, rank, device, work, { tokens, outputs, held }),
      );
      const talking = stage
        .flatMap(({ talks }) => talks)
        .reduce((time, talk) => time + talkSeconds(talk, mp, device.link, tokens, outputs, work), 0);
      const handing =
        i + 1 < pp
          ? device.link.latency + (tokens * stage.at(-1)!.handed * work.talkBits) / 8 / device.link.bandwidth
          : 0;
      return sum + Math.max(...ranks) + talking + handing;
    }, 0);
  const stepSeconds = seconds(sequences, sequences, sequences * work.context);
  const fits = shards.every(({ free }) => free >= 0);
  const busiest = shards.reduce((a, b) => (a.free <= b.free ? a : b));
  const talks = blocks.reduce((sum, block) => sum + block.talks.length, 0) + pp - 1;
  return {
    mesh,
    fits,
    shards,
    talksPerToken: talks,
    stepSeconds,
    chunkSeconds: seconds(work.chunk, 1, work.context),
    tokensPerSecond: work.batch / stepSeconds, // the fullest copy's step is everybody's
    why: whyOf(mesh, fits, busiest, talks),
  };
}

function shardPlan(
  stage: readonly BlockCost[],
  index: number,
  rank: number,
  { mp, pp }: Mesh,
  device: DeviceDescription,
  work: MeshWork,
  sequences: number,
): ShardPlan {
  const slices = new Map(
    stage.flatMap((block) => {
      const apart = block.name === "embedding" && work.tableBits !== undefined ? " table" : "";
      const bytes = (size: number) => (size * bitsOf(block, work)) / 8;
      return [...block.weights[rank]!].map(([slice, size]) => [`${slice}${apart}`, bytes(size)] as const);
    }),
  );
  const weights = [...slices.values()].reduce((a, b) => a + b, 0);
  const cached = stage.reduce((sum, { cache }) => sum + cache[rank]!, 0);
  const kv = (cached * work.context * sequences * work.cacheBits) / 8;
  const told = (tokens: number, outputs: number) =>
    stage
      .flatMap(({ talks }) => talks)
      .reduce((sum, talk) => sum + toldBytes(talk, rank, mp, device.link.way, tokens, outputs, work), 0) +
    (index > 0 && pp > 1 ? (tokens * stage[0]!.handed * work.talkBits) / 8 : 0);
  const { memory, reserve } = device;
  return {
    rank,
    stage: index,
    weights,
    kv,
    reserve,
    free: memory - reserve - weights - kv,
    toldPerToken: told(1, 1),
    toldPerChunk: told(work.chunk, 1),
  };
}

/** Tables and heads are often kept wider than layers. */
function bitsOf({ name }: BlockCost, { weightBits, tableBits = weightBits, headBits = weightBits }: MeshWork): number {
  if (name === "embedding") return tableBits;
  return name === "lm_head" ? headBits : weightBits;
}

/** Bytes that a rank is told; how devices do it decides. */
function toldBytes(
  talk: TalkCost,
  rank: number,
  ranks: number,
  way: Link["way"],
  tokens: number,
  outputs: number,
  work: MeshWork,
): number {
  if (ranks === 1) return 0;
  const sizes = { tokens, outputs };
  const direct = toldElements(talk, rank, ranks, sizes);
  const whole = direct / (talk.via === "all_gather" ? 1 : ranks - 1);
  const elements =
    talk.via === "all_gather" || way === "direct"
      ? direct
      : way === "host"
        ? whole
        : (whole * (talk.via === "all_reduce" ? 2 : 1) * (ranks - 1)) / ranks;
  return (elements * work.talkBits) / 8;
}

function talkSeconds(
  talk: TalkCost,
  ranks: number,
  link: Link,
  tokens: number,
  outputs: number,
  work: MeshWork,
): number {
  if (ranks === 1) return 0;
  const most = Math.max(
    ...Array.from({ length: ranks }, (_, rank) => toldBytes(talk, rank, ranks, link.way, tokens, outputs, work)),
  );
  // Through a host the terms go up first, one way after the other.
  const trips = link.way === "host" ? 2 : 1;
  return trips * (link.latency + most / link.bandwidth);
}

interface Load {
  readonly tokens: number;
  readonly outputs: number;
  /** Tokens in the caches that are read. */
  readonly held: number;
}

/** Weights and caches are read once a call, while the arithmetic goes on: whichever takes longer. */
function computing(
  stage: readonly BlockCost[],
  rank: number,
  { bandwidth, compute }: DeviceDescription,
  work: MeshWork,
  { tokens, outputs, held }: Load,
): number {
  let [read, flops] = [0, 0];
  for (const block of stage) {
    const { name, weights, cache, work: done } = block;
    if (name !== "embedding")
      read += ([...weights[rank]!.values()].reduce((a, b) => a + b, 0) * bitsOf(block, work)) / 8;
    read += (cache[rank]! * held * work.cacheBits) / 8;
    flops += done[rank]!.token * tokens + done[rank]!.output * outputs;
  }
  return Math.max(read / bandwidth, flops / compute);
}

/** As `stages` counts them. */
function blockSizes(blocks: readonly BlockCost[]): number[] {
  const seen = new Set<string>();
  return blocks.map(({ weights }) => {
    let sum = 0;
    for (const [slice, size] of weights[0]!) if (!seen.has(slice)) sum += size;
    for (const slice of weights[0]!.keys()) seen.add(slice);
    return sum;
  });
}

function whyOf(mesh: Mesh, fits: boolean, { weights, kv, free }: ShardPlan, talks: number): string {
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  const each = `${devicesOf(mesh)} devices, each with up to ${gb(weights)} of weights and ${gb(kv)} of cache`;
  if (!fits) return `${each}: ${gb(-free)} short, ${weights > kv ? "the weights" : "the caches"} are the larger part`;
  return `${each}; ${talks} talks a token`;
}

/** A mesh that was chosen, and those it was chosen among. */
export interface MeshChoice {
  /** Undefined where none fits. */
  readonly chosen: MeshPlan | undefined;
  /** Best first. */
  readonly plans: readonly MeshPlan[];
  readonly why: string;
}

export interface ChooseOptions {
  /** How many devices there are; all that the device's machine can have unless said. */
  readonly devices?: number;
  /** Only meshes without stages: for targets that have none. */
  readonly stages?: boolean;
  /** Which meshes it is chosen among; all unless said. */
  runs?(mesh: Mesh): boolean;
  /** Whether one that fits by the device's description really does, for who knows more; asked of what would be chosen. */
  holds?(mesh: Mesh): boolean;
}

/** Powers of two, and all that there are. */
function widths(devices: number): readonly number[] {
  const powers = Array.from({ length: Math.floor(Math.log2(devices)) + 1 }, (_, i) => 2 ** i);
  return powers.includes(devices) ? powers : [...powers, devices];
}

/**
 * Plans meshes of at most so many devices, and takes the one that makes most tokens a second for the work; among equals
 * the one of fewer devices. Which devices a fraction of the speed is worth is for people to say: the plans are all there.
 */
export function chooseMesh(
  graph: Graph,
  device: DeviceDescription,
  work: MeshWork = DEFAULT_WORK,
  { devices = device.most, stages = true, runs = () => true, holds = () => true }: ChooseOptions = {},
): MeshChoice {
  const costs = new Map<number, readonly BlockCost[]>();
  const plans: MeshPlan[] = [];
  for (const mp of widths(devices)) {
    costs.set(mp, meshCosts(graph, { mp }));
    for (let pp = 1; pp * mp <= devices && (stages || pp === 1) && pp <= graph.blocks.length; pp *= 2)
      for (let dp = 1; dp * mp * pp <= devices && dp <= Math.max(1, work.batch); dp *= 2)
        if (runs({ dp, mp, pp })) plans.push(planBlocks(costs.get(mp)!, { dp, mp, pp }, device, work));
  }
  const better = (a: MeshPlan, b: MeshPlan) =>
    Number(b.fits) - Number(a.fits) ||
    (Math.abs(a.tokensPerSecond - b.tokensPerSecond) > 0.02 * b.tokensPerSecond
      ? b.tokensPerSecond - a.tokensPerSecond
      : devicesOf(a.mesh) - devicesOf(b.mesh));
  if (plans.length === 0)
    throw new TargetError(
      "option-invalid",
      `--mesh auto: no mesh of up to ${devices} × ${device.name} runs this model`,
    );
  const refused = new Set<MeshPlan>();
  const best = () =>
    plans
      .filter((plan) => plan.fits && !refused.has(plan))
      .reduce<MeshPlan | undefined>((one, plan) => (one && better(one, plan) <= 0 ? one : plan), undefined);
  let chosen = best();
  while (chosen && !holds(chosen.mesh)) {
    refused.add(chosen);
    chosen = best();
  }
  const sorted = plans
    .map((plan) =>
      refused.has(plan) ? { ...plan, fits: false, why: "by the device's own plan it doesn't fit" } : plan,
    )
    .toSorted((a, b) => Number(b.fits) - Number(a.fits) || b.tokensPerSecond - a.tokensPerSecond);
  const first = sorted[0]!;
  const ordered = chosen ? [chosen, ...sorted.filter((plan) => plan !== chosen)] : sorted;
  return {
    chosen,
    plans: ordered,
    why: chosen ? choiceText(chosen, ordered, device) : `no mesh of ${devices} × ${device.name} holds it: ${first.why}`,
  };
}

function choiceText(chosen: MeshPlan, plans: readonly MeshPlan[], device: DeviceDescription): string {
  const rate = ({ tokensPerSecond }: MeshPlan) => `${Number(tokensPerSecond.toPrecision(3))} tokens/s`;
  const next = plans.find((plan) => plan !== chosen && plan.fits);
  const said = `${meshText(chosen.mesh)} of ${device.name}: ${rate(chosen)} by this model's figures`;
  if (!next) return `${said}; nothing else fits`;
  return `${said}; next is ${meshText(next.mesh)} with ${rate(next)}`;
}
