import { totalmem } from "node:os";
import { corePasses, type Graph, type Op, programOf, runPipeline, type Weight } from "@llm/core-ir";
import type { Plan } from "@llm/target";
import { DTYPES, partOf, sizeOf } from "@llm/tensor";
import { lowerToOrt } from "../lower/lower-to-ort.ts";
import type { CpuOptions } from "../options.ts";
import { ort } from "../ort/dialect.ts";
import { chunkOf, cpuPipeline } from "../pipeline.ts";
import { peakBytes, sizeOfValue } from "./liveness.ts";

/** Node, ONNX Runtime's code and the program itself. */
const RESERVE = 160 << 20;

/** What a model needs in memory, from its graph alone. */
export function planCpu(model: Graph, options: CpuOptions): Plan {
  const lowered = runPipeline(programOf(model), cpuPipeline(options), {
    passes: [...corePasses, lowerToOrt],
    dialects: [ort],
  });
  const { graph } = lowered.nets[0]!;
  const longest = model.dims.context?.max ?? 1;
  const context = options.ctxLen === 0 ? longest : Math.min(options.ctxLen, longest);
  const total = usableMemory();

  const tables = lookedUpOnly(graph);
  const packed = new Set(graph.ops.flatMap(({ kind, ins }) => (kind === "MatMulNBits" ? [ins[1]!.id] : [])));
  const weights = graph.weights.reduce(
    (sum, weight) => sum + (tables.has(weight.value.id) ? 0 : weightBytes(weight, packed.has(weight.value.id))),
    0,
  );
  const slot = graph.states.reduce((sum, { value }) => sum + sizeOfValue(value, { batch: 1, context }), 0);
  const seq = chunkOf(
    graph.inputs.map(({ id }) => id),
    context,
  );
  const sizes = { batch: 1, seq, outputs: 1, total: context, context };
  const activations = peakBytes(graph, sizes, (op) => scoreBytes(op, seq, context));
  const kv = slot * options.batchSize;
  const free = total - weights - kv - activations - RESERVE;
  const room = total - weights - activations - RESERVE;
  return {
    fits: free >= 0,
    maxBatchSize: slot === 0 ? 0 : Math.max(0, Math.floor(room / slot)),
    devices: [{ name: "CPU", total, weights, kv, activations, reserve: RESERVE, free }],
    why: why(free, weights, kv, context),
  };
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

/** Packed ones by their parts; beside each group's scale the kernels keep its sum. */
function weightBytes({ value, expr }: Weight, isPacked: boolean): number {
  if (!isPacked || expr.op !== "encode") return sizeOfValue(value, {});
  return ["data", "scales", "scales"].reduce((sum, part) => {
    const { dtype, shape } = partOf(value.type.shape as readonly number[], { ...expr.format, part });
    return sum + sizeOf(shape) * DTYPES[dtype].bytes;
  }, 0);
}

/** Scores of every head, query and key, which attention keeps for itself. */
function scoreBytes({ kind, attrs }: Op, seq: number, total: number): number {
  return kind === "GroupQueryAttention" ? (attrs.heads as number) * seq * total * 4 : 0;
}

/** What this process may use: a container's limit, where there is one. */
function usableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

function why(free: number, weights: number, kv: number, context: number): string {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  if (free >= 0) return `weights take ${gigabytes(weights)}, ${context} tokens a slot ${gigabytes(kv)} in all`;
  const larger = weights > kv ? "the weights are" : "the caches are";
  return `${gigabytes(-free)} short: ${larger} the larger part`;
}
