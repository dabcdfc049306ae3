import type { Dim, Graph, Value } from "@llm/core-ir";
import { type DType, type Tensor, tensor, type WeightExpr } from "@llm/tensor";
import type { OnnxInitializer, OnnxNode } from "../model/onnx-model.ts";
import { bytesOf } from "../write/lay-out.ts";
import type { Emission, NodeOptions } from "./emission.ts";
import { RuntimeDims } from "./runtime-dims.ts";
import { encodeNumbers } from "./scalars.ts";

export interface BuilderOptions {
  readonly opset: number;
  readonly names: Readonly<Record<string, string>>;
  /** Weights that lie in the model as their own transpose, by id. */
  readonly transposed: ReadonlyMap<string, WeightExpr>;
}

/** Collects the nodes and constants of one model. */
export class ModelBuilder implements Emission {
  readonly opset: number;
  readonly nodeList: OnnxNode[] = [];
  readonly constants: OnnxInitializer[] = [];
  readonly #names: Readonly<Record<string, string>>;
  readonly #transposed: ReadonlyMap<string, WeightExpr>;
  readonly #taken: Set<string>;
  readonly #interned = new Map<string, string>();
  readonly #dims: RuntimeDims;
  #site = "";

  constructor(graph: Graph, { opset, names, transposed }: BuilderOptions) {
    this.opset = opset;
    this.#names = names;
    this.#transposed = transposed;
    this.#taken = new Set(valuesOf(graph).map((value) => this.name(value)));
    this.#dims = new RuntimeDims(this, [...graph.inputs, ...graph.states.map(({ value }) => value)]);
  }

  /** Nodes and names that follow belong to this value: what a reader sees of them in error messages and viewers. */
  at(value: Value): void {
    this.#site = this.name(value);
  }

  name(value: Value | null): string {
    if (value === null) return "";
    return Object.hasOwn(this.#names, value.id) ? this.#names[value.id] : value.id;
  }

  isTransposed(value: Value): boolean {
    return this.#transposed.has(value.id);
  }

  node(op: string, inputs: readonly string[], options: NodeOptions = {}): string {
    return this.nodes(op, inputs, options)[0];
  }

  nodes(
    op: string,
    inputs: readonly string[],
    { domain = "", attrs = {}, outs = [null] }: NodeOptions,
  ): readonly string[] {
    const outputs = outs.map((value) => (value === null ? this.fresh(`${this.#site}:${op}`) : this.name(value)));
    const last = inputs.findLastIndex((input) => input !== "");
    this.nodeList.push({
      op,
      domain,
      name: `${outputs[0]}/${op}`,
      inputs: inputs.slice(0, last + 1), // optional operands left out at the end are not written
      outputs,
      attrs,
    });
    return outputs;
  }

  constant(value: Tensor): string {
    const key = `${value.dtype}[${value.shape}]${Buffer.from(bytesOf(value.data)).toString("base64")}`;
    let name = this.#interned.get(key);
    if (name === undefined) {
      name = this.fresh(`const:${this.#interned.size}`);
      this.#interned.set(key, name);
      this.constants.push({ name, tensor: value });
    }
    return name;
  }

  initializer(initializer: OnnxInitializer): string {
    const key = JSON.stringify({ ...initializer, tensor: undefined, of: this.#site });
    let name = this.#interned.get(key);
    if (name === undefined) {
      name = this.fresh(initializer.name);
      this.#interned.set(key, name);
      this.constants.push({ ...initializer, name });
    }
    return name;
  }

  ints(values: readonly number[]): string {
    return this.constant(tensor("i64", [values.length], BigInt64Array.from(values, BigInt)));
  }

  scalar(dtype: DType, value: number): string {
    return this.constant(tensor(dtype, [], encodeNumbers(dtype, [value])));
  }

  dims(shape: readonly Dim[]): string {
    return this.#dims.shape(shape);
  }

  /** A name that nothing in the model has yet. */
  fresh(wanted: string): string {
    let name = wanted;
    for (let n = 2; this.#taken.has(name); n++) name = `${wanted}:${n}`;
    this.#taken.add(name);
    return name;
  }
}

function valuesOf(graph: Graph): Value[] {
  return [
    ...graph.inputs,
    ...graph.states.map(({ value }) => value),
    ...graph.weights.map(({ value }) => value),
    ...graph.constants.map(({ value }) => value),
    ...graph.ops.flatMap(({ outs }) => outs),
  ];
}
