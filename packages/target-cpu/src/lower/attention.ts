import { type Builder, type Dim, GraphError, type Op, type State, type Type, type Value } from "@llm/core-ir";
import { tensor } from "@llm/tensor";
import type { LowerContext, Lowering } from "./context.ts";
import type { RowInputs } from "./inputs.ts";

interface Alibi {
  readonly slopes: readonly number[];
  readonly anchor: "relative" | "key";
  readonly round?: "bf16";
}

/** The kernel takes heads whose width is a multiple of this. */
const HEAD_STEP = 8;

/** A head's width with zeros after it, where the kernel wants that, or values are wider than keys. */
export function paddedWidth(keys: number, values: number): number {
  return Math.ceil(Math.max(keys, values) / HEAD_STEP) * HEAD_STEP;
}

/** A cache (batch, heads, context, width) whose heads are as wide as the kernel wants them. */
export function cacheState(state: State, width: number, b: Builder): Value {
  b.release(state.value.id);
  const type: Type = { dtype: state.value.type.dtype, shape: state.value.type.shape.with(-1, width) };
  return b.state(state.value.id, type, { role: state.role, update: state.update });
}

/**
 * Zeros after q and k change no score, zeros after v only make more zeros: so any width will do. A window, a soft cap and
 * biases by distance are the kernel's own.
 */
export const attentionLowering =
  (inputs: RowInputs): Lowering =>
  (op, b, context) => {
    const [q, k, v, , , keys, values] = op.ins;
    if (!keys || !values) throw new GraphError("unsupported", "attention without a cache: cache-form comes first");
    const [heads, keyWidth] = q!.type.shape.slice(-2) as [number, number];
    const [groups, valueWidth] = v!.type.shape.slice(-2) as [number, number];
    const width = keys.type.shape.at(-1) as number;
    const flat = (x: Value, count: number, wide: number) =>
      b.reshape(wide === width ? x : b.pad(x, -1, { before: 0, after: width - wide, value: 0 }), [count * width], 2);
    const { last, total } = lengths(inputs, b, context);
    const ins = [
      flat(q!, heads, keyWidth),
      flat(k!, groups, keyWidth),
      flat(v!, groups, valueWidth),
      keys,
      values,
      last,
      total,
    ];
    const { scale, window, softcap } = op.attrs;
    const bias = alibiBias(op, inputs, b, context);
    const [out, nextKeys, nextValues] = b.ops("GroupQueryAttention", bias ? [...ins, bias] : ins, {
      heads,
      groups,
      scale: scale!,
      window,
      softcap,
    });
    b.setNext(keys, nextKeys!);
    b.setNext(values, nextValues!);
    const split = b.reshape(out!, [heads, width], 1);
    return [valueWidth === width ? split : b.slice(split, -1, 0, valueWidth)];
  };

/** Each row's last position, and how many tokens the longest has with the call's: what the kernel calls seqlens_k, total. */
export function lengths(inputs: RowInputs, b: Builder, context: LowerContext): { last: Value; total: Value } {
  const [batch] = inputs.positions.type.shape as [Dim, Dim];
  const last = context.once("last", () => b.reshape(b.reduce("max", inputs.positions, [1]), [batch]));
  const total = context.once("total", () => b.add(b.reduce("max", last, [0]), b.constant(1, "i32")));
  return { last, total };
}

/** Slope · distance for every head, query and key: (batch, heads, seq, total). Layers whose rules are one share it. */
export function alibiBias(
  op: Op,
  { positions, span }: RowInputs,
  b: Builder,
  context: LowerContext,
): Value | undefined {
  const alibi = op.attrs.alibi as Alibi | undefined;
  if (!alibi || !span) return undefined;
  const scale = op.attrs.scale as number;
  return context.once(`alibi ${JSON.stringify(alibi)} ${alibi.anchor === "key" ? scale : ""}`, () => {
    const [batch, seq] = positions.type.shape as [Dim, Dim];
    const [total] = span.type.shape as [Dim];
    const slopes = b.constant(tensor("f32", [1, alibi.slopes.length, 1, 1], Float32Array.from(alibi.slopes)));
    const keys = b.reshape(b.cast(span, "f32"), [1, 1, 1, total]);
    const queries = b.reshape(b.cast(positions, "f32"), [batch, 1, seq, 1]);
    const relative = alibi.anchor === "relative";
    const distances = relative ? b.sub(keys, queries) : b.expand(keys, [batch, 1, seq, total]);
    const product = b.mul(slopes, distances);
    const rounded = alibi.round ? b.round(product, alibi.round) : product;
    return relative ? rounded : b.scale(rounded, scale);
  });
}
