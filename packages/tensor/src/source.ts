import type { Format } from "./format.ts";

/** Bytes of a file that stay where they are. */
export interface Span {
  readonly file: string; // absolute path
  readonly offset: number; // bytes
  readonly length: number; // bytes
}

/**
 * One logical tensor of a checkpoint, as stored. A GPTQ or AWQ linear is *one* logical tensor
 * (`model.layers.0.mlp.up_proj.weight`, shape [out, in]) whose `parts` are the published
 * tensors (`qweight`, `qzeros`, `scales`, `g_idx`); an FP8 one may have `scales` beside its `data`; plain and GGUF tensors
 * have one part, `data`.
 */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[]; // logical: as the published model code sees it, [out, in] for a Linear
  readonly format: Format;
  readonly parts: Readonly<Record<string, Span>>;
  /**
   * In elements, when not row-major contiguous: views inside pickles, and what a format stores transposed (GGUF's Conv1D; there
   * the format may be one of blocks, and elements count in the order in which they decode).
   */
  readonly strides?: readonly number[];
  /**
   * Logical rows (first axis) in order, as runs of stored rows, where a format stores them in another order: GGUF regroups
   * rows of fused and rotated projections. Absent: as stored. A row is never split, so packed formats stay packed.
   */
  readonly rows?: readonly RowRun[];
  /** Added to every value that is read, where a format stores them shifted: GGUF keeps Gemma's norm weights as 1 + w. */
  readonly shift?: number;
  /** Values are made when they are read: there are no such bytes in any file, and none to point to. */
  readonly computed?: boolean;
  /** Format-dependent facts: GPTQ's group size, zero-point offset, … */
  readonly params?: Readonly<Record<string, number | boolean | string>>;
}

/**
 * Rows of a strided view: for each index into `shape`, in row-major order, stored row `start` + Σ index · stride.
 * `{ start: 0, shape: [n], strides: [1] }` is n rows as they are.
 */
export interface RowRun {
  readonly start: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[]; // in rows
}

/** Where weights come from: a checkpoint, or a stand-in. Reading never evaluates anything stored. */
export interface WeightSource {
  /** Content or header fingerprint: equal sources have equal fingerprints. */
  readonly fingerprint: string;
  names(): Iterable<string>;
  get(name: string): StoredTensor | undefined;
  /** Fills `into` with the bytes at `span` or throws; `span` may be a part of a stored tensor's part. */
  read(span: Span, into: Uint8Array): Promise<void>;
}
