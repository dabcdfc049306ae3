import type { Attrs, Dim, Op, Type, Value } from "@llm/core-ir";
import type { DType, Tensor } from "@llm/tensor";
import type { OnnxAttr, OnnxInitializer } from "../model/onnx-model.ts";

/** What an emitter writes its nodes into. Everything in the model goes by name. */
export interface Emission {
  /** Version of ONNX's own ops. */
  readonly opset: number;
  /** A value's name in the model; "" for an operand left out. */
  name(value: Value | null): string;
  /** Whether a two-axis weight lies in the model as its own transpose; only `linear` and `matmul` of ours may meet one. */
  isTransposed(value: Value): boolean;
  /**
   * Adds a node and returns the name of its first result. `outs` are the graph's values that it makes; null, or none at
   * all, is a result in between.
   */
  node(op: string, inputs: readonly string[], options?: NodeOptions): string;
  /** The same for nodes with several results. */
  nodes(op: string, inputs: readonly string[], options: NodeOptions): readonly string[];
  /** A tensor known now. Equal ones are one. */
  constant(tensor: Tensor): string;
  /** A one-dimensional int64 tensor: ONNX's way to pass axes, sizes and shapes. */
  ints(values: readonly number[]): string;
  /** A scalar of any dtype. */
  scalar(dtype: DType, value: number): string;
  /** A tensor that an op needs besides its operands: a packed weight's scales. What no node reads is not written. */
  initializer(initializer: OnnxInitializer): string;
  /** A shape as a one-dimensional int64 tensor, computed from the inputs where it has symbols. */
  dims(shape: readonly Dim[]): string;
}

export interface NodeOptions {
  readonly domain?: string;
  readonly attrs?: Readonly<Record<string, OnnxAttr>>;
  readonly outs?: readonly (Value | null)[];
}

/** Says one op of a dialect in ONNX nodes; its results must get the names of `op.outs`. */
export type Emitter<A extends Attrs = Attrs> = (op: EmittedOp<A>, onnx: Emission) => void;

/** An op with its attributes checked, and types at hand. */
export interface EmittedOp<A extends Attrs = Attrs> extends Op<A> {
  /** Names of the operands in the model. */
  readonly names: readonly string[];
}

/** Emitters by op. A target brings its own for its own dialect. */
export type EmitterTable = Readonly<Record<string, Emitter>>;

export function typeOf(value: Value | null | undefined): Type {
  if (value == null) throw new TypeError("an operand that must be there isn't");
  return value.type;
}
