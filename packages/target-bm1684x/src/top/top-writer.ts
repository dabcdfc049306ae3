import { type Constant, type Graph, GraphError, type Value } from "@llm/core-ir";
import type { WeightExpr } from "@llm/tensor";
import { attr, quote } from "./attr.ts";

/** A value in the text: what it is called there and its type. */
export interface Ref {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: string; // "tensor<1x8xf32>", or "none"
}

/** An array that a module's weights are read from, by name. */
export interface TopArray {
  readonly name: string;
  readonly dtype: "f32" | "u8";
  readonly shape: readonly number[];
  readonly from: ArraySource;
}

export type ArraySource =
  /** Numbers known now. */
  | { readonly kind: "numbers"; readonly values: Float32Array }
  /** A leaf's values, `plus` added to each. */
  | { readonly kind: "weight"; readonly expr: WeightExpr; readonly plus?: number }
  /** One of the parts of a leaf in the chip's own format, by output: those of one leaf follow one another, `data` first. */
  | { readonly kind: "encoded"; readonly expr: EncodedExpr; readonly part: "data" | "scales" | "zeros" };

export type EncodedExpr = WeightExpr & { readonly op: "encode" };

export type ElementType = "f32" | "si32" | "ui8";

const NONE: Ref = { name: "%none", shape: [], type: "none" };

/** Writes a module's ops one after another, its leaves where they are first used. */
export class TopWriter {
  readonly lines: string[] = [];
  readonly arrays: TopArray[] = [];
  readonly #graph: Graph;
  readonly #refs = new Map<string, Ref>();
  readonly #ids = new Map<string, Ref>(); // integer inputs, as indices
  readonly #known = new Set<string>();
  readonly #leaves = new Map<string, Ref>();
  readonly #weights: ReadonlyMap<string, WeightExpr>;
  readonly #constants: ReadonlyMap<string, Constant["data"]>;
  #next = 0;
  #usesNone = false;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#weights = new Map(graph.weights.map(({ value, expr }) => [value.id, expr]));
    this.#constants = new Map(graph.constants.map(({ value, data }) => [value.id, data]));
  }

  get usesNone(): boolean {
    return this.#usesNone;
  }

  /** The operand left out. */
  none(): Ref {
    this.#usesNone = true;
    return NONE;
  }

  /** Says that `ref` is the graph's `value`. */
  set(value: Value, ref: Ref): void {
    this.#refs.set(value.id, ref);
  }

  setIndex(value: Value, ref: Ref): void {
    this.#ids.set(value.id, ref);
  }

  isIndex(value: Value): boolean {
    return this.#ids.has(value.id);
  }

  /** An integer input as it came in: what tables are indexed with. */
  index(value: Value): Ref {
    const ref = this.#ids.get(value.id);
    if (!ref) throw new GraphError("unsupported", `${value.id}: tables are looked up with inputs only on this device`);
    return ref;
  }

  /** A value as numbers; leaves are written when they are first used. Integers are numbers, too. */
  ref(value: Value | null): Ref {
    if (!value) return this.none();
    const known = this.#refs.get(value.id);
    if (known) return known;
    const ref = this.#leaf(value);
    this.set(value, ref);
    return ref;
  }

  #leaf(value: Value): Ref {
    const expr = this.#weights.get(value.id);
    if (expr) return this.weight(value.id, expr);
    const data = this.#constants.get(value.id);
    if (data) return this.numbers(value.id, value.type.shape as number[], Float32Array.from(data.data as Float32Array));
    const index = this.#ids.get(value.id);
    if (!index) throw new GraphError("spec", `${value.id} is used before it is made`);
    return this.#asNumber(value, index);
  }

  /** An integer input as a number: looked up in a table of numbers, because comparing and casting integers is not for it. */
  #asNumber({ id, type }: Value, index: Ref): Ref {
    const shape = type.shape as readonly number[];
    const attrs = { axis: attr.si32(1) };
    const looked = this.op("Gather", [this.countTo(this.#positions()), index], [1, ...shape], {
      loc: `${id}.looked_up`,
      attrs,
    });
    const number = this.op("Reshape", [looked], shape, { loc: `${id}.number` });
    return this.#graph.states.length > 0 ? number : this.#afterCount(id, number);
  }

  /**
   * A token's net puts its position behind those of the history, which are counted: that takes the table a second time. A
   * prompt's net does so too, and takes its own part of the result, so that both have the same arrays: they are stored once.
   */
  #afterCount(id: string, number: Ref): Ref {
    const [rows, width] = number.shape as [number, number];
    const counted = this.#positions();
    const attrs = { axis: attr.si32(1) };
    const all = this.op("Concat", [this.countTo(counted), number], [rows, counted + width], {
      loc: `${id}.counted`,
      attrs,
    });
    const part = {
      offset: attr.i64s([0, counted]),
      steps: attr.i64s([1, 1]),
      ends: attr.i64s([rows, counted + width]),
    };
    const ins = [all, this.none(), this.none(), this.none()];
    return this.op("Slice", ins, number.shape, { loc: `${id}.own`, attrs: part });
  }

  /** 0, 1, 2 …, [1, size]: one table serves to count and to look numbers up. */
  countTo(size: number): Ref {
    return this.numbers(
      `0 … ${size}`,
      [1, size],
      Float32Array.from({ length: size }, (_, i) => i),
    );
  }

  /** Places of a history, or of a prompt. */
  #positions(): number {
    const held = this.#graph.states.map(({ value }) => Number(value.type.shape[1]));
    return Math.max(...held, ...this.#graph.inputs.map(({ type }) => Number(type.shape[1] ?? 1)));
  }

  /** The number that a value is, if it is one and known. */
  scalar(value: Value | null): number | undefined {
    const data = value && this.#constants.get(value.id);
    return data && data.data.length === 1 ? Number(data.data[0]) : undefined;
  }

  /** The expression of a leaf. */
  exprOf(value: Value): WeightExpr | undefined {
    return this.#weights.get(value.id);
  }

  /** A weight in 32 bits. */
  weight(
    name: string,
    expr: WeightExpr,
    options: { readonly shape?: readonly number[]; readonly plus?: number } = {},
  ): Ref {
    const shape = options.shape ?? this.#shapeOf(name);
    const { plus } = options;
    const from = { kind: "weight", expr, ...(plus === undefined ? {} : { plus }) } as const;
    return this.array({ name, dtype: "f32", shape, from });
  }

  #shapeOf(id: string): readonly number[] {
    return this.#graph.weights.find(({ value }) => value.id === id)!.value.type.shape as number[];
  }

  numbers(name: string, shape: readonly number[], values: Float32Array): Ref {
    return this.array({
      name,
      dtype: "f32",
      shape: shape.length === 0 ? [1] : shape,
      from: { kind: "numbers", values },
    });
  }

  /** One number as often as `width` says. */
  filled(value: number, width: number): Ref {
    return this.numbers(`${value} × ${width}`, [width], new Float32Array(width).fill(value));
  }

  /** A leaf out of the file of arrays; one that is there already is that one. */
  array(array: TopArray): Ref {
    const known = this.#leaves.get(array.name);
    if (known) return known;
    this.arrays.push(array);
    const type = tensorType(array.shape, array.dtype === "u8" ? "ui8" : "f32");
    const ref = { name: this.#fresh(), shape: array.shape, type };
    this.#write(`${ref.name} = "top.Weight"() : () -> ${type}`, array.name);
    this.#leaves.set(array.name, ref);
    return ref;
  }

  /** An input of the module. */
  input(name: string, argument: string, shape: readonly number[], element: ElementType): Ref {
    const type = tensorType(shape, element);
    const ref = { name: this.#fresh(), shape, type };
    this.#write(`${ref.name} = "top.Input"(${argument}) : (${type}) -> ${type}`, name);
    return ref;
  }

  /** Writes an op with one result. */
  op(kind: string, ins: readonly Ref[], shape: readonly number[], { loc, attrs = {} }: OpText): Ref {
    const ref = { name: this.#fresh(), shape, type: tensorType(shape, "f32") };
    this.#write(`${ref.name} = ${callText(kind, ins, attrs)} -> ${ref.type}`, loc);
    return ref;
  }

  /** Writes an op with several results of one shape. */
  ops(kind: string, ins: readonly Ref[], shapes: readonly (readonly number[])[], { loc, attrs = {} }: OpText): Ref[] {
    const base = this.#fresh();
    const types = shapes.map((shape) => tensorType(shape, "f32"));
    const locs = shapes.map((_, i) => quote(this.#unique(`${loc}.${i}`))).join(", ");
    const made = `${base}:${shapes.length} = ${callText(kind, ins, attrs)} -> (${types.join(", ")})`;
    this.lines.push(`    ${made} loc(fused[${locs}])`);
    return shapes.map((shape, i) => ({ name: `${base}#${i}`, shape, type: types[i]! }));
  }

  #write(text: string, loc: string): void {
    this.lines.push(`    ${text} loc(${quote(this.#unique(loc))})`);
  }

  /** Names of locations are those of tensors later on: each may be there once. */
  #unique(name: string): string {
    let unique = name;
    for (let n = 1; this.#known.has(unique); n++) unique = `${name}.${n}`;
    this.#known.add(unique);
    return unique;
  }

  #fresh(): string {
    return `%${this.#next++}`;
  }
}

export interface OpText {
  readonly loc: string;
  readonly attrs?: Readonly<Record<string, string>>;
}

export function tensorType(shape: readonly number[], element: ElementType): string {
  return `tensor<${[...shape, element].join("x")}>`;
}

function callText(kind: string, ins: readonly Ref[], attrs: Readonly<Record<string, string>>): string {
  const named = Object.entries(attrs).map(([name, value]) => `${name} = ${value}`);
  const braces = named.length === 0 ? "" : ` {${named.join(", ")}}`;
  return `"top.${kind}"(${ins.map(({ name }) => name).join(", ")})${braces} : (${ins.map(({ type }) => type).join(", ")})`;
}
