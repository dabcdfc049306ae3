import { corePasses, type Graph, type Net, type Op, programOf, runPipeline, type Value } from "@llm/core-ir";
import type { DevicePlan, Plan } from "@llm/target";
import { parseMesh } from "@llm/target/mesh";
import { canonicalText, DTYPES, type WeightSource } from "@llm/tensor";
import { cpuPasses } from "../lower/passes.ts";
import { type CpuOptions, contextOf } from "../options.ts";
import { ort } from "../ort/dialect.ts";
import { packedOperands } from "../ort/packed-weights.ts";
import { checkStages, chunkOf, cpuPipeline } from "../pipeline.ts";
import { peakBytes, sizeOfValue } from "./liveness.ts";
import { RESERVE, usableMemory } from "./memory.ts";
import { weightBytes } from "./weight-bytes.ts";

/** What a shard's worker takes by itself. */
const WORKER_RESERVE = 60 << 20;

const USUAL_RANK = 16;

/** Of a float32 activation, what it takes in 8 bits with a scale and a sum for every 32. */
const ROUNDED = (1 + 8 / 32) / 4;

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

  const needs = places.map((nets) => placeNeeds(nets, context, source));
  const shards = needs.map(({ weights, slot, activations }, place): DevicePlan => {
    const kv = slot * slots;
    const name = count === 1 ? "CPU" : placeName(places[place]!, places.length);
    return { name, total, weights, kv, activations, reserve, free: total - weights - kv - activations - reserve };
  });
  const rooms = needs.map(({ weights, slot, activations }) =>
    slot === 0 ? Number.POSITIVE_INFINITY : (total - weights - activations - reserve) / slot,
  );
  const most = Math.max(0, Math.floor(Math.min(...rooms)));
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

interface Needs {
  readonly weights: number;
  /** Of one slot's cache. */
  readonly slot: number;
  readonly activations: number;
}

/** What the nets of one process need: they run one after another, and a slice that two of them have is there once. */
function placeNeeds(nets: readonly Net[], context: number, source: Pick<WeightSource, "get"> | undefined): Needs {
  const slices = new Map<string, number>();
  const tables = nets.map(({ graph }) => lookedUpOnly(graph));
  let [slot, activations] = [0, 0];
  for (const [i, { graph }] of nets.entries()) {
    const packed = new Set(graph.ops.flatMap(packedOperands).map(({ id }) => id));
    for (const weight of graph.weights) {
      const { id } = weight.value;
      if (!tables[i]!.has(id)) slices.set(canonicalText(weight.expr), weightBytes(weight, packed.has(id), source));
    }
    slot += graph.states.reduce((sum, { value }) => sum + sizeOfValue(value, { batch: 1, context }), 0);
    const seq = chunkOf(
      graph.inputs.map(({ id }) => id),
      context,
    );
    const sizes = { ...usualRanks(graph), batch: 1, seq, outputs: 1, reads: 0, total: context, context };
    activations = Math.max(
      activations,
      peakBytes(graph, sizes, (op) => ownBytes(op, sizes)),
    );
  }
  return { weights: [...slices.values()].reduce((a, b) => a + b, 0), slot, activations };
}

/** Ranks of adapters, for models that take some: what is computed with them; their matrices come when they are loaded. */
function usualRanks({ dims }: Graph): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.keys(dims).map((symbol) => [symbol, USUAL_RANK]));
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

/**
 * What an op keeps for itself: queries, keys and values head by head, and scores of every head, query and key; activations in 8
 * bits; runs of rows before they are put together.
 */
function ownBytes({ kind, ins, outs, attrs }: Op, sizes: { readonly seq: number; readonly total: number }): number {
  const bytes = (value: Value | null | undefined) => (value ? sizeOfValue(value, sizes) : 0);
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

function why(free: number, weights: number, kv: number, context: number): string {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  if (free >= 0) return `weights take ${gigabytes(weights)}, ${context} tokens a slot ${gigabytes(kv)} in all`;
  const larger = weights > kv ? "the weights are" : "the caches are";
  return `${gigabytes(-free)} short: ${larger} the larger part`;
}
