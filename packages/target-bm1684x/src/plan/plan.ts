import { corePasses, type Graph, type Net, programOf, runPipeline } from "@llm/core-ir";
import type { DevicePlan, Plan } from "@llm/target";
import { shapeOf, sizeOf } from "@llm/tensor";
import { homesOf } from "../compile/units.ts";
import { lengthFor } from "../length.ts";
import { deviceNets } from "../nets/device-nets.ts";
import { laneLinears } from "../nets/lane-linears.ts";
import { nearFrequencies } from "../nets/near-frequencies.ts";
import type { Bm1684xOptions } from "../options.ts";
import { bm1684xPipeline } from "../pipeline.ts";
import { CHIP } from "./chip.ts";
import { cacheBytes, instructionBytes, runtimeBytes, weightArrays } from "./net-memory.ts";
import { chipsOf, copiesOf } from "./sharing.ts";

/** Passes up to the last, which says the same in the compiler's ops: it changes no sizes. */
const PASSES = [...corePasses, nearFrequencies, laneLinears, deviceNets];
const LAST = "lower-to-top";

/** What a model will need on its chips, from its graph alone. */
export function planBm1684x(model: Graph, options: Bm1684xOptions): Plan {
  const calls = bm1684xPipeline(model, options);
  const steps = calls.filter(({ pass }) => pass !== LAST);
  const { nets } = runPipeline(programOf(model), steps, { passes: PASSES });
  const chips = chipsOf(options);
  const homes = homesOf(nets, chips);
  const context = lengthFor(model, options);
  const needs = Array.from({ length: chips }, (_, device) =>
    deviceNeeds(
      nets.filter((__, i) => homes[i] === device),
      context,
    ),
  );
  const copies = copiesOf(options);
  const slots = Math.ceil(options.batchSize / copies);
  const all = Array.from({ length: copies }, () => needs).flat();
  const devices = all.map((need, i) => devicePlan(need, all.length === 1 ? CHIP.name : `${CHIP.name} ${i}`, slots));
  const rooms = devices.map(({ free, kv }, i) =>
    all[i]!.slot === 0 ? Number.POSITIVE_INFINITY : Math.floor((free + kv) / all[i]!.slot),
  );
  const fullest = devices.reduce((a, b) => (a.free <= b.free ? a : b));
  const most = Math.max(
    0,
    rooms.reduce((a, b) => Math.min(a, b)),
  );
  return {
    fits: fullest.free >= 0,
    maxBatchSize: Number.isFinite(most) ? most * copies : 0,
    devices,
    why: `${why(fullest, context)}${wideNote(nets, options)}`,
  };
}

interface DeviceNeeds {
  readonly weights: number;
  readonly instructions: number;
  readonly runtime: number;
  /** One sequence's cache. */
  readonly slot: number;
}

function devicePlan({ weights, instructions, runtime, slot }: DeviceNeeds, name: string, slots: number): DevicePlan {
  const total = CHIP.memoryBytes;
  const reserve = CHIP.reservedBytes;
  const kv = slot * slots;
  const activations = runtime + instructions;
  return {
    name,
    total,
    weights,
    kv,
    activations,
    instructions,
    reserve,
    free: total - weights - kv - activations - reserve,
  };
}

/** Nets run one after another in the same memory; a block's two nets hold their weights together where they have the same. */
function deviceNeeds(nets: readonly Net[], context: number): DeviceNeeds {
  const [held, graphs] = [new Map<string, number>(), nets.map(({ graph }) => graph)];
  for (const { id, graph } of nets) {
    const arrays = weightArrays(graph);
    if (arrays.size === 0) continue;
    const part = id.replace("_cache", "");
    held.set(`${part} ${[...arrays.keys()].sort().join(" ")}`, sum([...arrays.values()]));
  }
  return {
    weights: sum([...held.values()]),
    instructions: sum(nets.map(({ id, graph }) => instructionBytes(graph, tokensOf(id, context)))),
    runtime: graphs.reduce((most, graph) => Math.max(most, runtimeBytes(graph)), 0),
    slot: sum(graphs.map(cacheBytes)),
  };
}

function tokensOf(net: string, context: number): number {
  return /^(block_\d|embedding$)/.test(net) ? context : 1;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** What is too narrow for codes, alone or once it is sliced, and stays in 16 bits although fewer were asked for. */
function wideNote(nets: readonly Net[], { mode, qGroupSize }: Bm1684xOptions): string {
  if (mode === "F16") return "";
  const blocks = nets.filter(({ id }) => /^block_\d/.test(id)).map(({ graph }) => graph);
  const exprs = blocks.flatMap(({ ops, weights }) => {
    const multiplied = new Set(ops.flatMap(({ kind, ins }) => (kind === "linear" ? [ins[1]!.id] : [])));
    return weights.flatMap(({ value, expr }) => (multiplied.has(value.id) ? [expr] : []));
  });
  const elements = (some: typeof exprs) => sum(some.map((expr) => sizeOf(shapeOf(expr))));
  const wide = elements(exprs.filter(({ op }) => op !== "encode")) / Math.max(1, elements(exprs));
  if (wide < 0.01) return "";
  return `; ${Math.round(100 * wide)} % of the layers' weights stay in 16 bits: they, or their slices, don't fill groups of ${qGroupSize} and 64 lanes`;
}

function why({ free, weights, kv }: DevicePlan, context: number): string {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  if (free >= 0) return `weights take ${gigabytes(weights)}, ${context} tokens a sequence ${gigabytes(kv)} in all`;
  const larger = weights > kv ? "the weights are" : "the caches are";
  return `${gigabytes(-free)} short: ${larger} the larger part; --num-device shares the model between more chips`;
}
