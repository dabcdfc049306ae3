import { dimValue, type Graph, type Value } from "@llm/core-ir";
import { canonicalText, DTYPES, shapeOf, sizeOf, type WeightExpr } from "@llm/tensor";

/** The compiler begins each array at a multiple of this. */
const ALIGNMENT = 4096;

/** Bytes of a group's scale and of its zero point, which W8F16 and W4F16 keep beside the weights. */
const SCALE_BYTES = 2;
const ZERO_BYTES = 1;

/** A net's weights as the device holds them: by name, so that nets with the same ones can be told. */
export function weightArrays({ weights }: Graph): ReadonlyMap<string, number> {
  return new Map(weights.map(({ expr }) => [canonicalText(expr), arrayBytes(expr)]));
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
 * What a net computes with, roughly: its two largest values at once, and what else is carried along. Measured: a block of width
 * 6144 at 512 tokens takes 63.7 MB, of which two values of 25 MB are scores and the MLP's inner states.
 */
export function runtimeBytes(graph: Graph): number {
  const sizes = graph.ops.flatMap(({ outs }) => outs.map(halfBytes)).sort((a, b) => b - a);
  const [first = 0, second = 0] = sizes;
  const through = [...graph.inputs, ...graph.outputs].map(halfBytes).reduce((sum, bytes) => sum + bytes, 0);
  return aligned(first + second) + aligned(through);
}

function halfBytes({ type }: Value): number {
  const elements = type.shape.reduce((size: number, dim) => size * dimValue(dim, {}), 1);
  return elements * Math.min(2, DTYPES[type.dtype].bytes);
}

/** Commands of any net, and those that come with its size; measured on nets of widths 64, 256 and 6144. */
const LEAST_COMMAND_BYTES = 12e3;
const BYTES_PER_WEIGHT = 0.0013;
const BYTES_PER_PRODUCT = 1e-5;

/** What a net's instructions take: few, however large it is, against its weights. */
export function instructionBytes(graph: Graph, tokens: number): number {
  if (graph.weights.length === 0) return LEAST_COMMAND_BYTES;
  const matrices = graph.weights.filter(({ expr }) => shapeOf(expr).length > 1);
  const elements = matrices.reduce((sum, { expr }) => sum + sizeOf(shapeOf(expr)), 0);
  return Math.round(LEAST_COMMAND_BYTES + elements * (tokens > 1 ? BYTES_PER_PRODUCT * tokens : BYTES_PER_WEIGHT));
}

/** Of one slot: the histories that a token's net is given. */
export function cacheBytes({ states }: Graph): number {
  return states.reduce((sum, { value }) => sum + halfBytes(value), 0);
}
