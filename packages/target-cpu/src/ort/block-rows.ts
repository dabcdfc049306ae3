import type { OnnxAttr, OnnxInitializer, OnnxNode } from "@llm/exporter";
import type { Tensor } from "@llm/tensor";

/** How rows of a table of GGUF's blocks become the float32 numbers that they stand for, bit for bit. */
export interface BlockRows {
  /** Of a block. */
  readonly values: number;
  readonly bytes: number;
  /** What finds rows of a table (rows, blocks, bytes) by ids (batch, seq). */
  rows(table: string, ids: string, out: string): readonly OnnxNode[];
}

/** By the highest six bits of an fp16 number, its sign and its exponent: what its fraction is added to, and a unit of that. */
const LEADING = Float32Array.from({ length: 64 }, (_, bits) => (bits % 32 === 0 ? 0 : 1024));
const UNIT = Float32Array.from({ length: 64 }, (_, bits) => (bits < 32 ? 1 : -1) * 2 ** (Math.max(bits % 32, 1) - 25));

const int = (...data: number[]): Tensor => ({ dtype: "i32", shape: [], data: Int32Array.from(data) });
const sizes = (...data: number[]): Tensor => ({
  dtype: "i64",
  shape: [data.length],
  data: BigInt64Array.from(data, BigInt),
});

const CONSTANTS = {
  leading: { dtype: "f32", shape: [64], data: LEADING },
  unit: { dtype: "f32", shape: [64], data: UNIT },
  "4": int(4),
  "8": int(8),
  "16": int(16),
  "32": int(32),
  "256": int(256),
  shifts: { dtype: "i32", shape: [4, 1], data: Int32Array.of(1, 4, 16, 64) },
  bytes: sizes(1, 1),
  "q4_0 parts": sizes(2, 16),
  "q8_0 parts": sizes(2, 32),
  "q6_K parts": sizes(128, 64, 16, 2),
  // A zero says that the size stays what it is.
  "low bits": sizes(0, 0, 0, 2, 2, 32),
  "high bits": sizes(0, 0, 0, 2, 1, 32),
  groups: sizes(0, 0, 0, 16, 16),
  scales: sizes(0, 0, 0, 16, 1),
  rows: sizes(0, 0, -1),
} satisfies Readonly<Record<string, Tensor>>;

type Constant = keyof typeof CONSTANTS;

/** What reading blocks takes, once for all tables of a model. */
export const blockConstants: readonly OnnxInitializer[] = Object.entries(CONSTANTS).map(([name, tensor]) => ({
  name: constant(name as Constant),
  tensor,
}));

function constant(name: Constant): string {
  return `blocks:${name}`;
}

const last: Readonly<Record<string, OnnxAttr>> = { axis: { int: -1 } };

/** Nodes that make one value, whose own values are named after it. */
class Nodes {
  readonly list: OnnxNode[] = [];
  readonly #out: string;

  constructor(out: string) {
    this.#out = out;
  }

  /** The names of what a node makes. */
  add(op: string, inputs: readonly string[], count = 1, attrs?: Readonly<Record<string, OnnxAttr>>): readonly string[] {
    const outputs = Array.from({ length: count }, (_, i) => `${this.#out}:${this.list.length}.${i}`);
    this.list.push({ op, inputs, outputs, ...(attrs ? { attrs } : {}) });
    return outputs;
  }

  /** The same of a node that makes one value, of one and a constant. */
  by(op: "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Reshape", x: string, name: Constant): string {
    return this.add(op, [x, constant(name)])[0]!;
  }

  cast(x: string, dtype: "i32" | "f32"): string {
    return this.add("Cast", [x], 1, { to: { dtype } })[0]!;
  }

  split(x: string, parts: Constant, count: number): readonly string[] {
    return this.add("Split", [x, constant(parts)], count, last);
  }

  /** Bytes, read as signed, as numbers from 0 to 255. */
  unsigned(x: string): string {
    return this.by("Mod", this.by("Add", this.cast(x, "i32"), "256"), "256");
  }

  /** The number of two bytes of fp16, put together from what its bits mean: no operator takes a number from its bits. */
  half(x: string): string {
    const [low, high] = this.split(this.unsigned(x), "bytes", 2) as [string, string];
    const exponent = this.by("Div", high, "4");
    const [fraction] = this.add("Add", [this.by("Mul", this.by("Mod", high, "4"), "256"), low]);
    const [leading] = this.add("Gather", [constant("leading"), exponent]);
    const [unit] = this.add("Gather", [constant("unit"), exponent]);
    const [units] = this.add("Add", [this.cast(fraction!, "f32"), leading!]);
    return this.add("Mul", [units!, unit!])[0]!;
  }

  /** Ends with rows of what was made of their blocks. */
  end(values: string): readonly OnnxNode[] {
    return [...this.list, { op: "Reshape", inputs: [values, constant("rows")], outputs: [this.#out] }];
  }
}

/** A scale in fp16, then 32 codes of 4 bits, two a byte that are 16 apart. */
const q4_0: BlockRows = {
  values: 32,
  bytes: 18,
  rows(table, ids, out) {
    const nodes = new Nodes(out);
    const [blocks] = nodes.add("Gather", [table, ids]);
    const [scale, pairs] = nodes.split(blocks!, "q4_0 parts", 2);
    const both = nodes.unsigned(pairs!);
    const [codes] = nodes.add("Concat", [nodes.by("Mod", both, "16"), nodes.by("Div", both, "16")], 1, last);
    const steps = nodes.cast(nodes.by("Sub", codes!, "8"), "f32");
    const [values] = nodes.add("Mul", [steps, nodes.half(scale!)]);
    return nodes.end(values!);
  },
};

/** A scale in fp16, then 32 codes of 8 bits. */
const q8_0: BlockRows = {
  values: 32,
  bytes: 34,
  rows(table, ids, out) {
    const nodes = new Nodes(out);
    const [blocks] = nodes.add("Gather", [table, ids]);
    const [scale, codes] = nodes.split(blocks!, "q8_0 parts", 2);
    const [values] = nodes.add("Mul", [nodes.cast(codes!, "f32"), nodes.half(scale!)]);
    return nodes.end(values!);
  },
};

/**
 * 256 codes of 6 bits: for each half of them 64 bytes of low bits, two codes a byte that are 64 apart, and 32 bytes of high bits,
 * four codes a byte that are 32 apart. Then 16 scales in 8 bits, and a scale of all in fp16.
 */
const q6_K: BlockRows = {
  values: 256,
  bytes: 210,
  rows(table, ids, out) {
    const nodes = new Nodes(out);
    const [blocks] = nodes.add("Gather", [table, ids]);
    const [low, high, scales, scale] = nodes.split(blocks!, "q6_K parts", 4);
    const lows = nodes.by("Reshape", nodes.unsigned(low!), "low bits"); // (…, half, 32 of 64, 32)
    const nibbles = [nodes.by("Mod", lows, "16"), nodes.by("Div", lows, "16")];
    const [fours] = nodes.add("Concat", nibbles, 1, { axis: { int: -2 } }); // (…, half, 4, 32)
    const highs = nodes.by("Reshape", nodes.unsigned(high!), "high bits");
    const twos = nodes.by("Mul", nodes.by("Mod", nodes.by("Div", highs, "shifts"), "4"), "16");
    const [sum] = nodes.add("Add", [fours!, twos]);
    const codes = nodes.by("Reshape", nodes.cast(nodes.by("Sub", sum!, "32"), "f32"), "groups");
    const [steps] = nodes.add("Mul", [nodes.cast(scales!, "f32"), nodes.half(scale!)]);
    const [values] = nodes.add("Mul", [codes, nodes.by("Reshape", steps!, "scales")]);
    return nodes.end(values!);
  },
};

/** The blocks that tables are mostly published in. */
export const BLOCK_ROWS = { q4_0, q8_0, q6_K } as const;
