import type { StoredTensor } from "@llm/tensor";
import type { JsonObject } from "../json.ts";
import type { Metadata } from "./metadata.ts";

/** How one architecture's GGUF files become what Hugging Face publishes. */
export interface GgufArchitecture {
  /** Names without `.weight` or `.bias`, from GGUF's to the published ones; `{n}` is the block's number. */
  readonly names: Readonly<Record<string, string>>;
  /** What conversion did to a tensor's layout or values, to be undone; by GGUF's name. */
  readonly changes?: (shape: ModelShape) => Readonly<Record<string, Change>>;
  /** Fields of config.json besides those that every model has (`commonConfig`). */
  readonly config: (model: ModelShape, metadata: Metadata) => JsonObject | Promise<JsonObject>;
}

/** What most architectures say in the same way. */
export interface ModelShape {
  readonly blocks: number;
  readonly width: number;
  readonly inner: number; // of the feed-forward part
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocab: number;
  readonly context: number;
  readonly ropeDims: number;
  readonly ropeTheta: number;
  readonly ropeScaling: JsonObject | null;
  readonly normEps: number;
  readonly tied: boolean;
  readonly has: (tensor: string) => boolean;
}

/** One stored tensor as one or more published ones. `{e}` in a name is filled by the change. */
export type Change = (tensor: StoredTensor) => readonly StoredTensor[];

/** Llama's rotary pairs are neighbours in GGUF and halves in Hugging Face's code: rows (head, pair, half) and (head, half, pair). */
export function rotatedRows(heads: number): Change {
  return (tensor) => {
    const dim = tensor.shape[0]! / heads;
    return [{ ...tensor, rows: [{ start: 0, shape: [heads, 2, dim / 2], strides: [dim, 1, 2] }] }];
  };
}

/** Query, key and value of each head together (head, part, row); GGUF has all queries first (part, head, row). */
export function interleavedHeads(heads: number): Change {
  return (tensor) => {
    const dim = tensor.shape[0]! / (3 * heads);
    return [{ ...tensor, rows: [{ start: 0, shape: [heads, 3, dim], strides: [dim, heads * dim, 1] }] }];
  };
}

/** Falcon's groups of query heads, each followed by its key and its value head; GGUF has all queries first. */
export function interleavedGroups(heads: number, groups: number): Change {
  return (tensor) => {
    const dim = tensor.shape[0]! / (heads + 2 * groups);
    const run = (start: number, length: number) => ({ start: start * dim, shape: [length * dim], strides: [1] });
    const perGroup = heads / groups;
    const rows = Array.from({ length: groups }, (_, group) => [
      run(group * perGroup, perGroup),
      run(heads + group, 1),
      run(heads + groups + group, 1),
    ]);
    return [{ ...tensor, rows: rows.flat() }];
  };
}

/** Conv1D is published as [in, out]; GGUF has it as [out, in]. */
export const transposed: Change = (tensor) => {
  const [outputs, inputs] = tensor.shape as [number, number];
  return [{ ...tensor, shape: [inputs, outputs], strides: [1, inputs] }];
};

/** Gemma's norms multiply by 1 + w; GGUF keeps the sum. */
export const plusOne: Change = (tensor) => [{ ...tensor, shift: -1 }];

/** Queries, then keys, then values of all heads in one tensor; published as three, called q, k and v. */
export function projections(heads: number, kvHeads: number): Change {
  return (tensor) => {
    const [rows, ...rest] = tensor.shape as [number, ...number[]];
    const { file, offset, length } = tensor.parts.data!;
    const dim = rows / (heads + 2 * kvHeads);
    const part = (name: string, from: number, count: number): StoredTensor => {
      const bytes = (length / rows) * dim;
      const data = { file, offset: offset + from * bytes, length: count * bytes };
      return { ...tensor, name: tensor.name.replace("{e}", name), shape: [count * dim, ...rest], parts: { data } };
    };
    return [part("q", 0, heads), part("k", heads, kvHeads), part("v", heads + kvHeads, kvHeads)];
  };
}

/** One tensor for all experts (or heads), published as one each. */
export const unstacked: Change = (tensor) => {
  const [count, ...shape] = tensor.shape as [number, ...number[]];
  const whole = tensor.parts.data!;
  const length = whole.length / count;
  return Array.from({ length: count }, (_, i) => ({
    ...tensor,
    name: tensor.name.replace("{e}", String(i)),
    shape,
    parts: { data: { file: whole.file, offset: whole.offset + i * length, length } },
  }));
};
