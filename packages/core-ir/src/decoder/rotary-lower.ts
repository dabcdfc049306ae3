import type { Builder } from "../builder.ts";
import type { Op, Value } from "../graph.ts";
import type { FarFrequencies } from "../rules.ts";

interface RotaryAttrs {
  readonly dims: number;
  readonly start?: number;
  readonly pairs: "half" | "interleaved";
  readonly freqs: readonly number[];
  readonly factor?: number;
  readonly beyond?: FarFrequencies;
}

/** Rotation as products with cosines and sines, made of the positions in f32 whatever x is. */
export function lowerRotary(op: Pick<Op, "ins"> & { readonly attrs: RotaryAttrs }, b: Builder): readonly Value[] {
  const [x, positions, reach = null] = op.ins as readonly Value[];
  const { factor = 1 } = op.attrs;
  const angles = b.mul(b.cast(b.reshape(positions!, [1, 1], 0), "f32"), frequencies(b, op.attrs, reach)); // (…, 1, half)
  const [cos, sin] = (["cos", "sin"] as const).map((fn) => b.cast(b.scale(b.unary(fn, angles), factor), x!.type.dtype));
  return [turnPairs(b, x!, cos!, sin!, op.attrs)];
}

/** x (…, heads, dim) with the pairs of its turning part rotated; cosines and sines are (…, 1, half). */
export function turnPairs(
  b: Builder,
  x: Value,
  cos: Value,
  sin: Value,
  { dims, start = 0, pairs }: Pick<RotaryAttrs, "dims" | "start" | "pairs">,
): Value {
  const turn = pairs === "half" ? turnHalves : turnNeighbours;
  const cuts = [start, dims, Number(x.type.shape.at(-1)) - start - dims].filter((size) => size > 0);
  if (cuts.length === 1) return turn(b, x, cos, sin);
  const parts = b.split(x, cuts);
  const at = start > 0 ? 1 : 0;
  return b.concat(parts.with(at, turn(b, parts[at]!, cos, sin)));
}

function turnHalves(b: Builder, x: Value, cos: Value, sin: Value): Value {
  const half = Number(x.type.shape.at(-1)) / 2;
  const [u, v] = b.split(x, [half, half]) as [Value, Value];
  return b.concat([b.sub(b.mul(u, cos), b.mul(v, sin)), b.add(b.mul(v, cos), b.mul(u, sin))]);
}

function turnNeighbours(b: Builder, x: Value, cos: Value, sin: Value): Value {
  const dims = Number(x.type.shape.at(-1));
  const pairs = b.reshape(x, [dims / 2, 2], 1);
  const [u, v] = b.split(pairs, [1, 1]).map((part) => b.reshape(part, [dims / 2], 2)) as [Value, Value];
  const turned = [b.sub(b.mul(u, cos), b.mul(v, sin)), b.add(b.mul(v, cos), b.mul(u, sin))];
  return b.reshape(b.concat(turned.map((part) => b.reshape(part, [dims / 2, 1], 1))), [dims], 2);
}

/** (half), or (…, 1, half) where a sequence's reach decides. */
function frequencies(b: Builder, { freqs, beyond, dims }: RotaryAttrs, reach: Value | null): Value {
  const row = (numbers: readonly number[]) =>
    b.constant({ dtype: "f32", shape: [numbers.length], data: Float32Array.from(numbers) });
  const near = row(freqs);
  if (!beyond || !reach) return near;
  const length = b.reshape(reach, [1, 1], 0);
  const isFar = b.compare("gt", length, b.constant(beyond.above, "i32"));
  if (!beyond.ntk) return b.where(isFar, row(beyond.freqs!), near);
  // A base grown by g^(d / (d − 2)) divides frequency i by g^(2i / (d − 2)).
  const { factor } = beyond.ntk;
  const grown = b.sub(b.scale(b.cast(length, "f32"), factor / beyond.above), b.constant(factor - 1));
  const exponents = row(freqs.map((_, i) => (-2 * i) / (dims - 2)));
  const positive = b.binary("max", grown, b.constant(1)); // short sequences don't take this branch; keep it a number
  return b.where(isFar, b.mul(near, b.binary("pow", positive, exponents)), near);
}
