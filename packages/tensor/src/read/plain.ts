import { DTYPES, type DType } from "../dtype.ts";
import type { Loader } from "./loader.ts";
import { boxesInOrder } from "./region.ts";

export interface ReadOptions {
  readonly chunkBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What is read at once where neighbours in the result lie apart in the file: each tile costs a pass over the stored tensor, so
 * larger ones read less. Two of these are what streaming a transpose takes.
 */
const TILE_BYTES = 32 * 2 ** 20;

/** A loader's bytes in row-major order. */
export async function* streamPlain(
  loader: Loader,
  dtype: DType,
  { chunkBytes, signal }: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const atOnce = loader.scattered ? Math.max(chunkBytes, TILE_BYTES) : chunkBytes;
  const most = Math.max(1, Math.floor(atOnce / DTYPES[dtype].bytes));
  for (const region of boxesInOrder(loader.shape, most)) {
    signal?.throwIfAborted();
    const { buffer, byteOffset, byteLength } = await loader.load(region, dtype);
    for (let at = 0; at < byteLength; at += chunkBytes)
      yield new Uint8Array(buffer, byteOffset + at, Math.min(chunkBytes, byteLength - at));
  }
}
