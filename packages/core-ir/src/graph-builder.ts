import { type DType, leavesOf, shapeOf, type Tensor, type WeightExpr } from "@llm/tensor";
import { type Dim, isSymbol } from "./dim.ts";
import { GraphError } from "./error.ts";
import type { Attrs, Block, Constant, Graph, Op, State, SymbolRange, Type, Value, Weight } from "./graph.ts";
import { inferOp } from "./infer.ts";
import type { Dialect, OpDef } from "./op-def.ts";
import { sameType } from "./shape.ts";
import { toBase64 } from "./text/base64.ts";
import { scalar } from "./values.ts";

interface Draft {
  id: string;
  readonly type: Type;
}

/**
 * Makes a graph op by op: every op's attributes are checked and its types inferred as it is added, so a mistake shows where
 * it is made. Ids are readable and unique: the scope one is in, then `as`'s name or the op's kind.
 */
export class GraphBuilder {
  readonly name: string;
  readonly #table = new Map<string, OpDef>();
  readonly #dialects: string[];
  readonly #ids = new Set<string>();
  readonly #fresh = new Set<Value>();
  readonly #dims: Record<string, SymbolRange> = {};
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #weights: Weight[] = [];
  readonly #weightOf = new Map<string, Value>();
  readonly #constants: Constant[] = [];
  readonly #constantOf = new Map<string, Value>();
  readonly #states: State[] = [];
  readonly #ops: Op[] = [];
  readonly #blocks: Block[] = [];
  #scope = "";
  #next: string | undefined;

  constructor(name: string, dialects: readonly Dialect[]) {
    this.name = name;
    this.#dialects = dialects.map((d) => d.name);
    for (const { ops } of dialects) for (const [kind, def] of Object.entries(ops)) this.#table.set(kind, def);
  }

  /** Names the next value that is made: `b.as("q").linear(…)`. */
  as(name: string): this {
    this.#next = name;
    return this;
  }

  /** A symbol for a size known only when running; one that is there already keeps its range. */
  dim(symbol: string, range: SymbolRange): Dim {
    if (!isSymbol(symbol)) throw new GraphError("spec", `${symbol} can't be the name of a dimension`);
    this.#dims[symbol] ??= range;
    return symbol;
  }

  input(name: string, dtype: DType, shape: readonly Dim[]): Value {
    const value = this.#value(this.#unique(name), { dtype, shape });
    this.#inputs.push(value);
    return value;
  }

  /** Makes `value` an output; a value made here takes the name. */
  output(value: Value, name?: string): Value {
    if (name !== undefined) this.rename(value, name);
    this.#outputs.push(value);
    return value;
  }

  /** A leaf; equal expressions (tied embeddings) are one. Its id is its first tensor's name. */
  weight(expr: WeightExpr, dtype: DType = "f32"): Value {
    const key = `${dtype} ${JSON.stringify(expr)}`;
    let value = this.#weightOf.get(key);
    if (!value) {
      const id = this.#take() ?? leavesOf(expr)[0]?.name ?? this.#scoped("weight");
      value = this.#value(this.#unique(id), { dtype, shape: shapeOf(expr) });
      this.#weights.push({ value, expr });
      this.#weightOf.set(key, value);
    }
    return value;
  }

  /** The same leaf as another dtype, under its name: what it was is gone. */
  retype(weight: Value, dtype: DType): Value {
    const at = this.#weights.findIndex(({ value }) => value.id === weight.id);
    if (at < 0) throw new GraphError("spec", `${weight.id} is not a weight`);
    const value = { id: weight.id, type: { dtype, shape: weight.type.shape } };
    this.#weights[at] = { ...this.#weights[at]!, value };
    return value;
  }

  /** A tensor in the graph itself; a number becomes a scalar. Equal ones are one, unless they are long. */
  constant(data: Tensor | number, dtype: ScalarDType = "f32"): Value {
    const tensor = typeof data === "number" ? scalar(data, dtype) : data;
    const key = constantKey(tensor);
    const known = key && this.#constantOf.get(key);
    const name = this.#take();
    if (known) return known;
    const id = typeof data === "number" ? `c${data}`.replaceAll(/[^\w.]/g, "_") : this.#scoped(name ?? "constant");
    const value = { id: this.#unique(id), type: { dtype: tensor.dtype, shape: tensor.shape } };
    this.#constants.push({ value, data: tensor });
    if (key) this.#constantOf.set(key, value);
    return value;
  }

  /** What stays between steps, its value now; `setNext` says what it becomes. */
  state(name: string, type: Type, state: Pick<State, "role" | "update">): Value {
    const value = this.#value(this.#unique(name), type);
    this.#states.push({ value, next: value, ...state });
    return value;
  }

  setNext(state: Value, next: Value): void {
    const at = this.#states.findIndex(({ value }) => value.id === state.id);
    if (at < 0) throw new GraphError("spec", `${state.id} is not a state`);
    this.#states[at] = { ...this.#states[at]!, next };
  }

  /** Everything made inside belongs to the block `name`, and its ids begin with it. */
  block<T>(name: string, make: () => T): T {
    const from = this.#ops.length;
    const made = this.scope(name, make);
    this.#blocks.push({ name, from, to: this.#ops.length });
    return made;
  }

  /** Ids of everything made inside begin with `name`. */
  scope<T>(name: string, make: () => T): T {
    return this.inside(this.#scoped(name), make);
  }

  /** Adds an op of any of the dialects and gives back its results. */
  ops(kind: string, ins: readonly (Value | null)[], attrs: Attrs = {}): readonly Value[] {
    const name = this.#take() ?? kind;
    const id = name.startsWith("/") ? name.slice(1) : this.#scoped(name);
    const def = this.#table.get(kind);
    if (!def) throw new GraphError("unknown-op", `${id}: no op is called ${kind}`);
    const types = inferOp(def, `${kind} ${id}`, ins, attrs);
    const outs = types.map((type, i) => {
      const suffix = def.results ? def.results[i] : types.length > 1 ? String(i) : "";
      return this.#value(this.#unique(suffix ? `${id}.${suffix}` : id), type);
    });
    for (const out of outs) this.#fresh.add(out);
    this.#ops.push({ kind, ins, outs, attrs: withoutUndefined(attrs) });
    return outs;
  }

  /** Takes over an op of another graph with its ids; its results' types are inferred anew where operands changed. */
  keep(op: Op, ins: readonly (Value | null)[] = op.ins): readonly Value[] {
    if (ins.every((value, i) => value === op.ins[i])) {
      this.#ops.push(op);
      return op.outs;
    }
    const def = this.#table.get(op.kind);
    if (!def) throw new GraphError("unknown-op", `${op.outs[0]?.id}: no op is called ${op.kind}`);
    const types = inferOp(def, `${op.kind} ${op.outs[0]?.id}`, ins, op.attrs);
    const outs = op.outs.map((out, i) => (sameType(out.type, types[i]!) ? out : { id: out.id, type: types[i]! }));
    this.#ops.push({ ...op, ins, outs });
    return outs;
  }

  /** Takes over a graph's sizes and leaves, and reserves all its ids: the start of rewriting it. */
  adopt(graph: Graph): void {
    Object.assign(this.#dims, graph.dims);
    this.#weights.push(...graph.weights);
    for (const { value, expr } of graph.weights)
      this.#weightOf.set(`${value.type.dtype} ${JSON.stringify(expr)}`, value);
    this.#constants.push(...graph.constants);
    for (const { value, data } of graph.constants) {
      const key = constantKey(data);
      if (key) this.#constantOf.set(key, value);
    }
    for (const list of [graph.inputs, graph.weights.map((w) => w.value), graph.constants.map((c) => c.value)])
      for (const { id } of list) this.#ids.add(id);
    for (const { value } of graph.states) this.#ids.add(value.id);
    for (const { outs } of graph.ops) for (const { id } of outs) this.#ids.add(id);
  }

  /** Takes over an input or a state as it is. */
  keepInput(value: Value): void {
    this.#inputs.push(value);
  }

  keepState(state: State): void {
    this.#states.push(state);
  }

  /** Adds an op with one result. */
  op(kind: string, ins: readonly (Value | null)[], attrs: Attrs = {}): Value {
    const outs = this.ops(kind, ins, attrs);
    if (outs.length !== 1) throw new GraphError("spec", `${kind} has ${outs.length} results, not 1`);
    return outs[0]!;
  }

  /** Another id for a value that an op of this builder made. */
  rename(value: Value, name: string): void {
    if (value.id === name) return;
    if (!this.#fresh.has(value))
      throw new GraphError("spec", `${value.id} was not made here and can't be renamed ${name}`);
    if (this.#ids.has(name)) throw new GraphError("spec", `two values would be called ${name}`);
    this.#ids.delete(value.id);
    this.#ids.add(name);
    (value as Draft).id = name;
  }

  /** Gives an id back, so that what replaces its value can be renamed to it. */
  release(id: string): void {
    this.#ids.delete(id);
  }

  /** Whether an id is in use. */
  taken(id: string): boolean {
    return this.#ids.has(id);
  }

  /** As `scope`, under exactly this name. */
  inside<T>(name: string, make: () => T): T {
    const outer = this.#scope;
    this.#scope = name;
    try {
      return make();
    } finally {
      this.#scope = outer;
    }
  }

  /** Whether an op of this builder made `value`. */
  isFresh(value: Value): boolean {
    return this.#fresh.has(value);
  }

  /** The definition of an op kind in this builder's dialects. */
  def(kind: string): OpDef | undefined {
    return this.#table.get(kind);
  }

  finish(): Graph {
    return {
      name: this.name,
      dialects: this.#dialects,
      dims: this.#dims,
      inputs: this.#inputs,
      outputs: this.#outputs,
      weights: this.#weights,
      constants: this.#constants,
      states: this.#states,
      ops: this.#ops,
      blocks: this.#blocks,
    };
  }

  #take(): string | undefined {
    const name = this.#next;
    this.#next = undefined;
    return name;
  }

  #scoped(name: string): string {
    return this.#scope === "" ? name : `${this.#scope}.${name}`;
  }

  #value(id: string, type: Type): Value {
    return { id, type };
  }

  #unique(id: string): string {
    let unique = id;
    for (let n = 2; this.#ids.has(unique); n++) unique = `${id}_${n}`;
    this.#ids.add(unique);
    return unique;
  }
}

type ScalarDType = "f32" | "f16" | "bf16" | "i32" | "bool";

/** Constants longer than this are not compared. */
const LONG = 1024;

function constantKey({ dtype, shape, data }: Tensor): string | undefined {
  if (data.length > LONG) return undefined;
  return `${dtype} ${shape} ${toBase64(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))}`;
}

function withoutUndefined(attrs: Attrs): Attrs {
  return Object.fromEntries(Object.entries(attrs).filter(([, value]) => value !== undefined));
}
