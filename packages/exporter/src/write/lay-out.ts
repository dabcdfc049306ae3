import { DTYPES, type Packing, sizeOf, type Tensor, type TypedArray } from "@llm/tensor";
import type { OnnxInitializer } from "../model/onnx-model.ts";
import type { ExternalData } from "../model/to-proto.ts";

/** An initializer whose values a checkpoint has. */
export type WeightInitializer = Extract<OnnxInitializer, { readonly weight: unknown }>;

/** Below this, a tensor known at export time lies in the model itself, where shape inference can read it. */
export const INLINE_BYTES = 4096;

/** Runtimes map large tensors into memory, which wants whole pages; small ones are only kept off odd addresses. */
const PAGE_BYTES = 4096;
const SMALL_BYTES = 64;

/** Bytes to be made, and where they go in the data file. */
export interface Piece {
  readonly content: Tensor | WeightInitializer;
  readonly offset: number;
  readonly length: number;
}

export interface Layout {
  readonly pieces: readonly Piece[];
  readonly placed: ReadonlyMap<string, ExternalData>;
  /** Length of the data file; 0 when it isn't needed. */
  readonly bytes: number;
}

/** Gives everything that `referenced` doesn't hold and that is too large to lie inside a place in the data file. */
export function layOut(
  initializers: readonly OnnxInitializer[],
  referenced: ReadonlyMap<string, ExternalData>,
  location: string,
): Layout {
  const placed = new Map(referenced);
  const shared = new Map<string, ExternalData>();
  const pieces: Piece[] = [];
  let end = 0;
  for (const initializer of initializers) {
    const inline = "tensor" in initializer && initializer.tensor.data.byteLength < INLINE_BYTES;
    if (inline || referenced.has(initializer.name)) continue;
    const key = "weight" in initializer ? JSON.stringify([initializer.weight, packingOf(initializer)]) : undefined;
    const same = key === undefined ? undefined : shared.get(key);
    if (same !== undefined) {
      placed.set(initializer.name, same); // tied weights are written once
      continue;
    }
    const length = byteLength(initializer);
    const align = length < PAGE_BYTES ? SMALL_BYTES : PAGE_BYTES;
    const offset = Math.ceil(end / align) * align;
    end = offset + length;
    pieces.push({ content: "tensor" in initializer ? initializer.tensor : initializer, offset, length });
    placed.set(initializer.name, { location, offset, length });
    if (key !== undefined) shared.set(key, { location, offset, length });
  }
  return { pieces, placed, bytes: end };
}

/** The bytes that a weight's initializer wants. */
export function packingOf({ dtype, packing = dtype }: WeightInitializer): Packing {
  return packing;
}

export function byteLength(initializer: OnnxInitializer): number {
  if ("tensor" in initializer) return initializer.tensor.data.byteLength;
  return sizeOf(initializer.shape) * DTYPES[initializer.dtype].bytes;
}

/** The bytes of an array in memory, not copied. */
export function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
