import { corePasses, type Graph, type Net, programOf, runPipeline } from "@llm/core-ir";
import { ortAddonStatus } from "@llm/runtime-native/ort";
import type { DevicePlan, Plan } from "@llm/target";
import { usableMemory } from "@llm/target/engine";
import { parseMesh } from "@llm/target/mesh";
import { canonicalText, type WeightSource } from "@llm/tensor";
import { cpuPasses } from "../lower/passes.ts";
import { type CpuOptions, contextOf } from "../options.ts";
import { ort } from "../ort/dialect.ts";
import { packedOperands } from "../ort/packed-weights.ts";
import { checkStages, cpuPipeline } from "../pipeline.ts";
import { type Activations, activationBytes, activationsOf, slotsIn } from "./activations.ts";
import { sizeOfValue } from "./liveness.ts";
import { RESERVE } from "./memory.ts";
import { tableBytes, weightBytes } from "./weight-bytes.ts";

/** What a shard's worker takes by itself. */
const WORKER_RESERVE = 60 << 20;

/**
 * What a model needs in memory, from its graph: of one process, or of each worker of a mesh. `source` is the checkpoint, where
 * that is known; how it keeps weights decides what some of them take.
 */
export function planCpu(model: Graph, options: CpuOptions, source?: Pick<WeightSource, "get">): Plan {
  checkStages(model, options.mesh);
  const lowered = runPipeline(programOf(model), cpuPipeline(options), {
    passes: [...corePasses, ...cpuPasses],
    dialects: [ort],
  });
  const context = contextOf(options.ctxLen, model.dims.context?.max ?? 1);
  const { dp } = parseMesh(options.mesh ?? "1x1");
  const places = [...Map.groupBy(lowered.nets, ({ rank = 0, stage = 0 }) => `${stage} ${rank}`).values()];
  const count = dp * places.length;
  const total = Math.floor(usableMemory() / count);
  const reserve = Math.ceil(RESERVE / count) + (count > 1 ? WORKER_RESERVE : 0);
  const slots = Math.ceil(options.batchSize / dp);
  // Elsewhere a step ends with copies of the caches it wrote to.
  const inPlace = ortAddonStatus().used;

  const width = widthOf(model);
  const needs = places.map((nets) => placeNeeds(nets, context, width, source));
  const shards = needs.map(({ weights, slot, tables, during }, place): DevicePlan => {
    const kv = slot * slots;
    const activations = activationBytes(during, slots) + (inPlace ? 0 : kv);
    const name = count === 1 ? "CPU" : placeName(places[place]!, places.length);
    const free = total - weights - kv - activations - reserve;
    return { name, total, weights, kv, activations, reserve, ...(tables > 0 ? { tables } : {}), free };
  });
  const rooms = needs.map(({ weights, slot, during }) =>
    slot === 0 ? Number.POSITIVE_INFINITY : slotsIn(total - weights - reserve, inPlace ? slot : 2 * slot, during),
  );
  const most = Math.min(...rooms);
  const fullest = shards.reduce((a, b) => (a.free <= b.free ? a : b));
  return {
    fits: fullest.free >= 0,
    maxBatchSize: Number.isFinite(most) ? most * dp : 0,
    devices: Array.from({ length: dp }, (_, copy) =>
      shards.map((shard) => (dp === 1 ? shard : { ...shard, name: `copy ${copy + 1}, ${shard.name}` })),
    ).flat(),
    why: why(fullest.free, fullest.weights, fullest.kv, context),
  };
}

function placeName([net]: readonly Net[], places: number): string {
  const { rank = 0, stage } = net!;
  if (places === 1) return "CPU";
  return stage === undefined ? `shard ${rank + 1}` : `stage ${stage + 1}, shard ${rank + 1}`;
}

/** The width of a model's stream: what the rows are picked from. */
function widthOf({ ops }: Graph): number {
  return Number(ops.find(({ kind }) => kind === "pick")?.ins[0]?.type.shape.at(-1) ?? 1);
}

interface Needs {
  readonly weights: number;
  /** Of one slot's cache. */
  readonly slot: number;
  readonly tables: number;
  readonly during: Activations;
}

/** What the nets of one process need: they run one after another, and a slice that two of them have is there once. */
function placeNeeds(
  nets: readonly Net[],
  context: number,
  width: number,
  source: Pick<WeightSource, "get"> | undefined,
): Needs {
  const [slices, lookedUp] = [new Map<string, number>(), new Map<string, number>()];
  let slot = 0;
  for (const { graph } of nets) {
    const packed = new Set(graph.ops.flatMap(packedOperands).map(({ id }) => id));
    const tables = lookedUpOnly(graph);
    for (const weight of graph.weights) {
      const { id } = weight.value;
      const slice = canonicalText(weight.expr);
      if (tables.has(id)) lookedUp.set(slice, tableBytes(weight, source));
      else slices.set(slice, weightBytes(weight, packed.has(id), source));
    }
    slot += graph.states.reduce((sum, { value }) => sum + sizeOfValue(value, { batch: 1, context }), 0);
  }
  const each = nets.map(({ graph }) => activationsOf(graph, context, width));
  const most = (part: keyof Activations) => Math.max(...each.map((activations) => activations[part]));
  return {
    weights: sum(slices),
    slot,
    tables: sum(lookedUp),
    during: { prompt: most("prompt"), token: most("token"), logits: most("logits") },
  };
}

function sum(bytes: ReadonlyMap<string, number>): number {
  return [...bytes.values()].reduce((a, b) => a + b, 0);
}

/** Tables that stay in their file: what is read of them is a row for each token. */
function lookedUpOnly(graph: Graph): ReadonlySet<string> {
  const tables = new Set<string>();
  const others = new Set<string>();
  for (const { kind, ins } of graph.ops)
    ins.forEach((value, at) => {
      if (value) (kind === "embed" && at === 0 ? tables : others).add(value.id);
    });
  return tables.difference(others);
}

function why(free: number, weights: number, kv: number, context: number): string {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  if (free >= 0) return `weights take ${gigabytes(weights)}, ${context} tokens a slot ${gigabytes(kv)} in all`;
  const larger = weights > kv ? "the weights are" : "the caches are";
  return `${gigabytes(-free)} short: ${larger} the larger part`;
}
