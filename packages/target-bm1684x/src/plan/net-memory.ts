import { dimValue, type Graph, type Value } from "@llm/core-ir";
import { canonicalText, DTYPES, shapeOf, sizeOf, type WeightExpr } from "@llm/tensor";

/** The compiler begins each array at a multiple of this. */
const ALIGNMENT = 4096;

/** Bytes of a group's scale and of its zero point, which W8F16 and W4F16 keep beside the weights. */
const SCALE_BYTES = 2;
const ZERO_BYTES = 1;

/** A net's arrays as the device holds them: by name, so that nets with the same ones can be told. */
export function weightArrays(graph: Graph): ReadonlyMap<string, number> {
  const { weights, constants, ops } = graph;
  const encoded = new Set(weights.flatMap(({ value, expr }) => (expr.op === "encode" ? [value.id] : [])));
  const tables = new Map(constants.map(({ value }) => [value.id, value]));
  const arrays = new Map(weights.map(({ expr }) => [canonicalText(expr), arrayBytes(expr)]));
  for (const { kind, ins, outs } of ops) {
    const [out] = outs;
    // A product without a bias is given one of zeros (docs/bm1684x.md); codes have none.
    if (kind === "linear" && !ins[2] && !encoded.has(ins[1]!.id))
      arrays.set(`${out!.id} zeros`, aligned(4 * Number(out!.type.shape.at(-1))));
    // Each op has constants of its own, such as the tables of a rotation.
    ins.forEach((value, i) => {
      if (value && tables.has(value.id) && value.type.shape.length > 0)
        arrays.set(`${out!.id} ${i}`, aligned(halfBytes(value)));
    });
  }
  return arrays;
}

function arrayBytes(expr: WeightExpr): number {
  const shape = shapeOf(expr);
  const size = sizeOf(shape);
  if (expr.op === "encode") {
    const { format, group = 64 } = expr.format;
    const bits = format === "bm1684x_w4" ? 4 : 8;
    return aligned((size * bits) / 8) + aligned((size / group) * SCALE_BYTES) + aligned((size / group) * ZERO_BYTES);
  }
  // Matrices are 16-bit; biases are added before results are rounded, and are 32.
  return aligned(size * (shape.length > 1 ? 2 : 4));
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/**
 * What a net computes with. Inputs and outputs have places of their own, and beside them there is what is alive at once where
 * most is: in attention or in the MLP, as far as the compiler doesn't work on them in parts that stay inside the chip. By what it
 * made of 53 models of seven families, widths of 256 to 6144 and lengths of 16 to 512; where weights are codes, a tenth off at most.
 */
export function runtimeBytes(graph: Graph): number {
  const through = [...graph.inputs, ...graph.outputs].map((value) => aligned(halfBytes(value)));
  const inside = graph.weights.length > 0 ? Math.max(attentionBytes(graph), mlpBytes(graph)) : 0;
  const most = inside > 0 ? inside : 2 * Math.max(0, ...graph.outputs.map(halfBytes));
  return sum(through) + aligned(most);
}

/** Scores, before and after they become shares, where heads share keys: what turns groups into heads and back keeps all of both. */
function attentionBytes({ ops }: Graph): number {
  const [shares] = ops.find(({ kind }) => kind === "softmax")?.outs ?? [];
  if (!shares) return 0;
  const scores = halfBytes(shares);
  const isGrouped = ops.some(
    ({ kind, outs: [out] }) =>
      kind === "matmul" && halfBytes(out!) === scores && out!.type.shape.join() !== shares.type.shape.join(),
  );
  return isGrouped ? 2 * scores : 0;
}

/** Of an MLP whose weights are codes, everything; of another, what a gate is multiplied with. */
function mlpBytes({ ops, weights }: Graph): number {
  const gated = largest(ops.filter(({ kind }) => kind === "glu"));
  const plain = largest(ops.filter(({ kind }) => kind === "activation"));
  const isEncoded = weights.some(({ expr }) => expr.op === "encode");
  return isEncoded ? Math.max(4 * gated, 2 * plain) : 2 * gated;
}

function largest(ops: Graph["ops"]): number {
  return ops.flatMap(({ outs }) => outs.map(halfBytes)).reduce((most, bytes) => Math.max(most, bytes), 0);
}

function halfBytes({ type }: Value): number {
  const elements = type.shape.reduce((size: number, dim) => size * dimValue(dim, {}), 1);
  return elements * Math.min(2, DTYPES[type.dtype].bytes);
}

/** Commands of any op, and those that come with a net's size; measured on nets of widths 64 to 6144. */
const COMMAND_BYTES_PER_OP = 300;
const BYTES_PER_WEIGHT = 0.0013;
const BYTES_PER_PRODUCT = 1e-5;

/** What a net's instructions take: few, however large it is, against its weights. */
export function instructionBytes({ ops, weights }: Graph, tokens: number): number {
  const matrices = weights.filter(({ expr }) => shapeOf(expr).length > 1);
  const elements = sum(matrices.map(({ expr }) => sizeOf(shapeOf(expr))));
  const perWeight = tokens > 1 ? BYTES_PER_PRODUCT * tokens : BYTES_PER_WEIGHT;
  return Math.round(COMMAND_BYTES_PER_OP * ops.length + perWeight * elements);
}

/** Of one slot: the histories that a token's net is given. */
export function cacheBytes({ states }: Graph): number {
  return sum(states.map(({ value }) => halfBytes(value)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
