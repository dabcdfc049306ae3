import { DTYPES, type Tensor } from "@llm/tensor";
import { legalOps } from "./dialects.ts";
import { type Dim, dimSubstitute, isSymbol, type Sizes } from "./dim.ts";
import { GraphError } from "./error.ts";
import type { Attr, Attrs, Graph, Type, Value } from "./graph.ts";
import type { Dialect, OpDef } from "./op-def.ts";
import { decode16, encode16, roundTo } from "./rounding.ts";
import { typeText } from "./shape.ts";
import { opLabel } from "./spec.ts";

/** What a graph runs on; keys are value ids. */
export interface Bindings {
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** Floats as f32 whatever the leaf's dtype: values are rounded to it. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly states?: ReadonlyMap<string, Tensor>;
  /** Sizes of symbols that no input or state has. */
  readonly sizes?: Sizes;
  /** Tables of other dialects than core-ir's. */
  readonly dialects?: readonly Dialect[];
}

export interface Results {
  readonly outputs: Readonly<Record<string, Tensor>>;
  /**
   * By id of the state's value: what replaces it (buffers that went in may have been written to), or, for one that is appended
   * to, what is new.
   */
  readonly states: ReadonlyMap<string, Tensor>;
}

/**
 * Runs a graph op by op with each op's own `eval`: slow, obviously right, the oracle. Inside, every float is f32 and results
 * are rounded to the dtype their type says.
 */
export function interpret(graph: Graph, bindings: Bindings): Results {
  const ops = legalOps(graph, bindings.dialects);
  const values = new Map<string, Tensor>();
  const sizes: Record<string, number> = { ...bindings.sizes };
  for (const { id, type } of graph.inputs) learnSizes(type, bindings.inputs[id], sizes);
  for (const { value } of graph.states) learnSizes(value.type, bindings.states?.get(value.id), sizes);
  for (const value of graph.inputs)
    values.set(value.id, enter(value, bindings.inputs[value.id] ?? missing("input", value), sizes));
  for (const { value } of graph.states)
    values.set(value.id, enter(value, bindings.states?.get(value.id) ?? missing("state", value), sizes));
  for (const { value, data } of graph.constants) values.set(value.id, enter(value, data, sizes));
  for (const { value } of graph.weights)
    values.set(value.id, enter(value, bindings.weights.get(value.id) ?? missing("weight", value), sizes));

  const lastUse = lastUses(graph);
  graph.ops.forEach((op, at) => {
    const label = opLabel(op);
    const def = ops.get(op.kind);
    if (!def?.eval) throw new GraphError("unsupported", `${label}: the interpreter has no loops for ${op.kind}`);
    const ins = op.ins.map((value) => (value ? values.get(value.id)! : null));
    let outs: readonly Tensor[];
    try {
      outs = def.eval(ins, def.attrs.parse(bindAttrs(def, op.attrs, sizes)));
    } catch (error) {
      if (!(error instanceof RangeError) && !GraphError.isInstance(error)) throw error;
      throw new GraphError("binding", `${label}: ${error.message}`, { cause: error });
    }
    op.outs.forEach((out, i) => {
      checkShape(out, outs[i]!, sizes);
      if (lastUse.has(out.id)) values.set(out.id, rounded(out.type, outs[i]!));
    });
    for (const value of op.ins) if (value && lastUse.get(value.id) === at) values.delete(value.id);
  });

  const outputs = graph.outputs.map((value) => [value.id, leave(value.type, values.get(value.id)!)] as const);
  const states = graph.states.map(({ value, next }) => [value.id, leave(value.type, values.get(next.id)!)] as const);
  return { outputs: Object.fromEntries(outputs), states: new Map(states) };
}

/** `attrs` with symbols in its dimensions replaced. */
export function bindAttrs(def: OpDef, attrs: Attrs, by: Readonly<Record<string, Dim>>): Attrs {
  const bind = (value: Attr): Attr => (Array.isArray(value) ? value.map(bind) : dimSubstitute(value as Dim, by));
  let bound: Record<string, Attr | undefined> | undefined;
  for (const [name, field] of Object.entries(def.attrs.fields)) {
    const value = attrs[name];
    if (field.dims && value !== undefined) (bound ??= { ...attrs })[name] = bind(value);
  }
  return bound ?? attrs;
}

/** Index of the op that uses a value last; outputs and what states become are kept to the end. */
function lastUses(graph: Graph): Map<string, number> {
  const last = new Map<string, number>();
  graph.ops.forEach((op, at) => {
    for (const value of op.ins) if (value) last.set(value.id, at);
  });
  for (const value of graph.outputs) last.set(value.id, Number.POSITIVE_INFINITY);
  for (const { next } of graph.states) last.set(next.id, Number.POSITIVE_INFINITY);
  return last;
}

/** Sizes of symbols that stand alone in a type. */
function learnSizes({ shape }: Type, tensor: Tensor | undefined, sizes: Record<string, number>): void {
  shape.forEach((dim, i) => {
    const size = tensor?.shape[i];
    if (typeof dim === "string" && isSymbol(dim) && size !== undefined) sizes[dim] ??= size;
  });
}

/** Checks a tensor against its value's type. */
function enter(value: Value, tensor: Tensor, sizes: Sizes): Tensor {
  const { dtype } = value.type;
  const floatAsF32 = DTYPES[dtype].float && tensor.dtype === "f32";
  if (tensor.dtype !== dtype && !floatAsF32)
    throw new GraphError("binding", `${value.id} is ${typeText(value.type)}; a tensor of ${tensor.dtype} was given`);
  checkShape(value, tensor, sizes);
  if (tensor.data instanceof BigInt64Array)
    return { dtype, shape: tensor.shape, data: Int32Array.from(tensor.data, Number) };
  if ((tensor.dtype === "f16" || tensor.dtype === "bf16") && tensor.data instanceof Uint16Array)
    return { dtype: "f32", shape: tensor.shape, data: decode16(tensor.dtype, tensor.data) };
  return rounded(value.type, tensor);
}

function checkShape(value: Value, tensor: Tensor, sizes: Sizes): void {
  const shape = value.type.shape.map((dim) => dimSubstitute(dim, sizes));
  const open = shape.find((dim) => typeof dim === "string");
  if (open !== undefined) throw new GraphError("binding", `${value.id}: no input says what size ${open} is`);
  if (shape.length !== tensor.shape.length || shape.some((dim, i) => dim !== tensor.shape[i]))
    throw new GraphError("binding", `${value.id} is ${typeText(value.type)}, not [${tensor.shape.join(", ")}]`);
}

function rounded(type: Type, tensor: Tensor): Tensor {
  if (type.dtype !== "f16" && type.dtype !== "bf16") return tensor;
  return { ...tensor, data: roundTo(type.dtype, tensor.data as Float32Array) };
}

/** As the value's type says: 16-bit floats as bits. */
function leave(type: Type, tensor: Tensor): Tensor {
  const { dtype } = type;
  if (dtype === "f16" || dtype === "bf16")
    return { dtype, shape: tensor.shape, data: encode16(dtype, tensor.data as Float32Array) };
  if (dtype === "i64")
    return { dtype, shape: tensor.shape, data: BigInt64Array.from(tensor.data as Int32Array, BigInt) };
  return { ...tensor, dtype };
}

function missing(what: string, value: Value): never {
  throw new GraphError("binding", `no tensor was given for ${what} ${value.id}, ${typeText(value.type)}`);
}
