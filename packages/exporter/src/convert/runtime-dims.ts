import type { Dim, Value } from "@llm/core-ir";
import { ExportError } from "../error.ts";
import type { Emission } from "./emission.ts";

/** Since when Shape says some of a tensor's dimensions. */
const SHAPE_SAYS_PARTS = 15;

/**
 * Sizes that are only known when the model runs, as int64 tensors of one element. Symbols are read off the inputs'
 * shapes, polynomials over them computed; each once.
 */
export class RuntimeDims {
  readonly #onnx: Emission;
  readonly #known = new Map<Dim, string>();
  readonly #sources: readonly Value[];

  constructor(onnx: Emission, inputs: readonly Value[]) {
    this.#onnx = onnx;
    this.#sources = inputs;
  }

  /** A whole shape as one int64 tensor. */
  shape(shape: readonly Dim[]): string {
    if (shape.every((dim) => typeof dim === "number")) return this.#onnx.ints(shape);
    const parts: string[] = [];
    let run: number[] = [];
    const flush = () => {
      if (run.length > 0) parts.push(this.#onnx.ints(run));
      run = [];
    };
    for (const dim of shape)
      if (typeof dim === "number") run.push(dim);
      else {
        flush();
        parts.push(this.dim(dim));
      }
    flush();
    return parts.length === 1 ? parts[0] : this.#onnx.node("Concat", parts, { attrs: { axis: { int: 0 } } });
  }

  /** One dimension, shape [1]. */
  dim(dim: Dim): string {
    let name = this.#known.get(dim);
    if (name === undefined) {
      name = typeof dim === "number" ? this.#onnx.ints([dim]) : this.#compute(dim);
      this.#known.set(dim, name);
    }
    return name;
  }

  #compute(dim: string): string {
    let sum: string | undefined;
    for (const { sign, factors } of termsOf(dim)) {
      const product = factors.map((factor) => (typeof factor === "number" ? this.dim(factor) : this.#symbol(factor)));
      const term = product.reduce((a, b) => this.#onnx.node("Mul", [a, b]));
      if (sum === undefined) sum = sign < 0 ? this.#onnx.node("Neg", [term]) : term;
      else sum = this.#onnx.node(sign < 0 ? "Sub" : "Add", [sum, term]);
    }
    return sum!;
  }

  #symbol(symbol: string): string {
    const known = this.#known.get(symbol);
    if (known !== undefined) return known;
    for (const input of this.#sources) {
      const axis = input.type.shape.indexOf(symbol);
      if (axis < 0) continue;
      const name = this.#sizeOf(this.#onnx.name(input), axis);
      this.#known.set(symbol, name);
      return name;
    }
    throw new ExportError("graph-invalid", `no input has a dimension ${symbol} that its size could be read from`);
  }

  #sizeOf(input: string, axis: number): string {
    if (this.#onnx.opset >= SHAPE_SAYS_PARTS)
      return this.#onnx.node("Shape", [input], { attrs: { start: { int: axis }, end: { int: axis + 1 } } });
    const whole = this.#onnx.node("Shape", [input]);
    return this.#onnx.node("Slice", [whole, this.#onnx.ints([axis]), this.#onnx.ints([axis + 1])]);
  }
}

/** A dimension's canonical text ("2*b*s - 1") in terms. */
export function termsOf(dim: string): { sign: 1 | -1; factors: (number | string)[] }[] {
  return [...dim.matchAll(/(^-|[+-] )?\s*([^\s+-]+)/g)].map(([, sign = "+", product]) => ({
    sign: sign.startsWith("-") ? -1 : 1,
    factors: product.split("*").map((factor) => (/^\d+$/.test(factor) ? Number(factor) : factor)),
  }));
}
