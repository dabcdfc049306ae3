import { DTYPES, type DType, sizeOf, type Tensor, type WeightExpr } from "@llm/tensor";
import { parseDim } from "../dim.ts";
import { GraphError } from "../error.ts";
import type { Attrs, Block, Constant, Graph, Op, State, SymbolRange, Type, Value, Weight } from "../graph.ts";
import { fromBase64 } from "./base64.ts";

const ID = String.raw`\w[\w.\-/]*`;
const TYPED = String.raw`(${ID}): (\w+)\[([^\]]*)\]`;
const ONE = new RegExp(TYPED);
const ALL = new RegExp(TYPED, "g");
const OP = /^(.*?\]) = (\w+)\(([^)]*)\)(?: (\{.*\}))?$/;

/** Reads what `printGraph` wrote. It checks the text alone: `checkSpec` says whether it makes sense as a graph. */
export function parseGraph(text: string): Graph {
  const reader = new Reader();
  text.split("\n").forEach((line, at) => {
    try {
      reader.line(line.trim());
    } catch (error) {
      if (!(error instanceof SyntaxError) && !GraphError.isInstance(error)) throw error;
      throw new GraphError("syntax", `line ${at + 1}: ${error.message}`);
    }
  });
  return reader.finish();
}

class Reader {
  #name = "";
  #dialects: string[] = [];
  #block: { name: string; from: number } | undefined;
  readonly #dims: Record<string, SymbolRange> = {};
  readonly #values = new Map<string, Value>();
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #weights: Weight[] = [];
  readonly #constants: Constant[] = [];
  readonly #states: { value: Value; next: string; rest: Pick<State, "role" | "update"> }[] = [];
  readonly #ops: Op[] = [];
  readonly #blocks: Block[] = [];

  /** What the first word of a line says it is; any other line is an op. */
  readonly #words: Readonly<Record<string, (rest: string) => void>> = {
    graph: (rest) => {
      this.#name = JSON.parse(rest);
    },
    dialects: (rest) => {
      this.#dialects = rest.split(", ");
    },
    dim: (rest) => this.#dim(rest),
    input: (rest) => this.#inputs.push(this.#make(rest)),
    weight: (rest) => {
      const [value, expr] = this.#assignment(rest);
      this.#weights.push({ value, expr: JSON.parse(expr) as WeightExpr });
    },
    constant: (rest) => {
      const [value, data] = this.#assignment(rest);
      this.#constants.push({ value, data: readData(value.type, data) });
    },
    state: (rest) => this.#state(rest),
    block: (rest) => this.#open(rest.replace(/ \{$/, "")),
    output: (rest) => this.#outputs.push(this.#use(rest)),
  };

  line(line: string): void {
    const space = line.indexOf(" ");
    const word = line.slice(0, space);
    if (line === "}") this.#close();
    else if (Object.hasOwn(this.#words, word)) this.#words[word]!(line.slice(space + 1));
    else if (line !== "") this.#op(line);
  }

  finish(): Graph {
    if (this.#block) throw new GraphError("syntax", `block ${this.#block.name} is never closed`);
    return {
      name: this.#name,
      dialects: this.#dialects,
      dims: this.#dims,
      inputs: this.#inputs,
      outputs: this.#outputs,
      weights: this.#weights,
      constants: this.#constants,
      states: this.#states.map(({ value, next, rest }) => ({ value, next: this.#use(next), ...rest })),
      ops: this.#ops,
      blocks: this.#blocks,
    };
  }

  #open(name: string): void {
    if (this.#block) throw new SyntaxError(`block ${this.#block.name} is still open`);
    this.#block = { name, from: this.#ops.length };
  }

  #close(): void {
    if (!this.#block) throw new SyntaxError("there is no block to close");
    this.#blocks.push({ ...this.#block, to: this.#ops.length });
    this.#block = undefined;
  }

  #dim(text: string): void {
    const match = /^(\w+) (\d+)\.\.(\d+)$/.exec(text);
    if (!match) throw new SyntaxError(`"${text}" is not a dimension's range`);
    this.#dims[match[1]!] = { min: Number(match[2]), max: Number(match[3]) };
  }

  #state(text: string): void {
    const match = new RegExp(`^(.*\\]) -> (${ID}) (\\{.*\\})$`).exec(text);
    if (!match) throw new SyntaxError(`"${text}" is not a state`);
    this.#states.push({ value: this.#make(match[1]!), next: match[2]!, rest: JSON.parse(match[3]!) });
  }

  #op(line: string): void {
    const match = OP.exec(line);
    if (!match) throw new SyntaxError(`"${line.slice(0, 80)}" is not an op`);
    const [, results, kind, operands, attrs] = match;
    const ins = operands === "" ? [] : operands!.split(", ").map((id) => (id === "_" ? null : this.#use(id)));
    const outs = [...results!.matchAll(ALL)].map((found) => this.#make(found[0]));
    this.#ops.push({ kind: kind!, ins, outs, attrs: attrs ? (JSON.parse(attrs) as Attrs) : {} });
  }

  #assignment(text: string): [Value, string] {
    const at = text.indexOf(" = ");
    if (at < 0) throw new SyntaxError(`"${text.slice(0, 80)}" has no " = "`);
    return [this.#make(text.slice(0, at)), text.slice(at + 3)];
  }

  #make(text: string): Value {
    const match = ONE.exec(text);
    if (!match) throw new SyntaxError(`"${text.slice(0, 80)}" is not a value with its type`);
    const [, id, dtype, dims] = match;
    if (!Object.hasOwn(DTYPES, dtype!)) throw new SyntaxError(`${dtype} is not a dtype`);
    const shape = dims === "" ? [] : dims!.split(", ").map((dim) => parseDim(/^\d+$/.test(dim) ? Number(dim) : dim));
    const value = { id: id!, type: { dtype: dtype as DType, shape } };
    this.#values.set(value.id, value);
    return value;
  }

  #use(id: string): Value {
    const value = this.#values.get(id);
    if (!value) throw new GraphError("syntax", `nothing before makes ${id}`);
    return value;
  }
}

function readData({ dtype, shape }: Type, text: string): Tensor {
  const { array, bytes } = DTYPES[dtype];
  const size = sizeOf(shape as readonly number[]);
  const numbers = text.startsWith("[") ? (JSON.parse(text) as number[]) : undefined;
  const data = new array(numbers ? new ArrayBuffer(numbers.length * bytes) : fromBase64(text).buffer);
  if (numbers) data.set(numbers as never);
  if (data.length !== size) throw new SyntaxError(`a constant of ${size} elements has ${data.length}`);
  return { dtype, shape: shape as readonly number[], data };
}
