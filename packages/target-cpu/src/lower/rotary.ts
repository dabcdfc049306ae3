import { type Builder, dimProduct, type Op, type Value } from "@llm/core-ir";
import { tensor } from "@llm/tensor";
import type { LowerContext, Lowering } from "./context.ts";

interface RotaryAttrs {
  readonly freqs: readonly number[];
  readonly factor?: number;
  readonly beyond?: Beyond;
}

interface Beyond {
  readonly above: number;
  readonly freqs?: readonly number[];
  readonly ntk?: { readonly base: number; readonly factor: number };
}

/**
 * The kernel turns by rows of tables. Ours have a row for each token of the call, made from its position: no table as long
 * as the longest context, and frequencies that depend on the sequence's length come the same way.
 */
export const lowerRotary: Lowering = (op, b, context) => {
  const [x] = op.ins;
  const { dims, start = 0, pairs } = op.attrs as { dims: number; start?: number; pairs: string };
  const [batch, seq, heads, width] = x!.type.shape as [number, number, number, number];
  const { rows, cos, sin } = rotaryTables(op, b, context);
  const turn = (part: Value, wide: number): Value => {
    const flat = b.reshape(part, [heads * wide], 2);
    const attrs = { heads, dims, interleaved: pairs === "interleaved" };
    return b.reshape(b.op("RotaryEmbedding", [flat, rows, cos, sin], attrs), [batch, seq, heads, wide]);
  };
  if (start === 0) return [turn(x!, width)];
  return [b.concat([b.slice(x!, -1, 0, start), turn(b.slice(x!, -1, start, width), width - start)])];
};

/** Tables (tokens, dims / 2) and each token's row in them; ops that turn alike share them. */
export function rotaryTables(op: Op, b: Builder, context: LowerContext): { rows: Value; cos: Value; sin: Value } {
  const [, positions, reach] = op.ins;
  const { freqs, factor = 1, beyond } = op.attrs as unknown as RotaryAttrs;
  const key = JSON.stringify([positions!.id, reach?.id, freqs, beyond]);
  const tokens = dimProduct(positions!.type.shape);
  const column = (value: Value) => b.reshape(b.cast(value, "f32"), [tokens, 1]);
  const angles = context.once(`angles ${key}`, () => {
    const near = frequencies(freqs, b);
    const turn = beyond && reach ? farOrNear(near, beyond, column(reach), b) : near;
    return b.mul(column(positions!), turn);
  });
  const scaled = (fn: "cos" | "sin") =>
    context.once(`${fn} ${factor} ${key}`, () => b.scale(b.unary(fn, angles), factor));
  const rows = context.once(`rows ${tokens}`, () => b.cast(b.reshape(b.iota(tokens), positions!.type.shape), "i64"));
  return { rows, cos: scaled("cos"), sin: scaled("sin") };
}

/** Each token's frequencies, by the length of the sequence it belongs to: (tokens, dims / 2). */
function farOrNear(near: Value, beyond: Beyond, reach: Value, b: Builder): Value {
  const far = beyond.freqs ? frequencies(beyond.freqs, b) : grownFrequencies(beyond, near, reach, b);
  return b.where(b.compare("gt", reach, b.constant(beyond.above)), far, near);
}

/** Dynamic NTK: base · grown^(dims / (dims − 2)), and its powers −2i / dims, as exponentials of one logarithm. */
function grownFrequencies({ above, ntk }: Beyond, near: Value, reach: Value, b: Builder): Value {
  const { base, factor } = ntk!;
  const dims = 2 * (near.type.shape.at(-1) as number);
  const grown = b.sub(b.scale(reach, factor / above), b.constant(factor - 1));
  // Shorter sequences are not asked, and have no logarithm.
  const growth = b.unary("log", b.clip(grown, { min: 1e-6 }));
  const logBase = b.add(b.scale(growth, dims / (dims - 2)), b.constant(Math.log(base)));
  const powers = Float32Array.from({ length: dims / 2 }, (_, i) => (-2 * i) / dims);
  return b.unary("exp", b.mul(logBase, b.constant(tensor("f32", [1, dims / 2], powers))));
}

function frequencies(freqs: readonly number[], b: Builder): Value {
  return b.constant(tensor("f32", [1, freqs.length], Float32Array.from(freqs)));
}
