import type { OnnxAttr, OnnxFunction, OnnxNode } from "@llm/exporter";
import { tensor } from "@llm/tensor";

/** Writes the nodes of a function one by one; each gives the name of its result. */
export class FunctionBody {
  readonly nodes: OnnxNode[] = [];

  node(op: string, inputs: readonly string[], attrs: Readonly<Record<string, OnnxAttr>> = {}, out?: string): string {
    const name = out ?? `t${this.nodes.length}`;
    this.nodes.push({ op, inputs, outputs: [name], attrs });
    return name;
  }

  ints(values: readonly number[]): string {
    return this.node("Constant", [], {
      value: { tensor: tensor("i64", [values.length], BigInt64Array.from(values, BigInt)) },
    });
  }

  scalar(value: number): string {
    return this.node("Constant", [], { value: { tensor: tensor("i64", [], BigInt64Array.of(BigInt(value))) } });
  }

  /** Sizes of the axes [start, end) of a value. */
  sizes(of: string, start: number, end: number): string {
    return this.node("Shape", [of], { start: { int: start }, end: { int: end } });
  }

  /** 0, 1, 2 … as many as a size of one element says. */
  count(size: string): string {
    return this.node("Range", [this.scalar(0), this.node("Squeeze", [size]), this.scalar(1)]);
  }

  /** A value with new axes of 1, as large as `shape`. */
  spread(value: string, axes: readonly number[], shape: string): string {
    const raised = axes.length === 0 ? value : this.node("Unsqueeze", [value, this.ints(axes)]);
    return this.node("Expand", [raised, shape]);
  }

  /** Indices of several axes beside one another. */
  beside(indices: readonly string[], axis: number): string {
    return this.node("Concat", indices, { axis: { int: axis } });
  }
}

/** A function as its nodes are written by `write`, whose last one is to make "output". */
export function onnxFunction(
  head: Pick<OnnxFunction, "name" | "domain" | "inputs"> & { readonly attributes?: readonly string[] },
  opset: number,
  write: (body: FunctionBody) => void,
): OnnxFunction {
  const body = new FunctionBody();
  write(body);
  return { attributes: [], ...head, outputs: ["output"], opsets: { "": opset }, nodes: body.nodes };
}
