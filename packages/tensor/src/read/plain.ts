import { convertData } from "../convert.ts";
import { DTYPES, type DType, type TypedArray } from "../dtype.ts";
import type { Loss } from "../half.ts";
import { reusingArena } from "./arena.ts";
import type { Loader, Take } from "./loader.ts";
import { boxesInOrder, type Region } from "./region.ts";

/** How a stream is read; nothing is left to be guessed here. */
export interface PlainOptions {
  readonly chunkBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly loss?: Loss | undefined;
  /** Whether a chunk may lie where the one before it was. */
  readonly reuse?: boolean | undefined;
}

/**
 * What is read at once where neighbours in the result lie apart in the file: each tile costs a pass over the stored tensor, so
 * larger ones read less. Two of these are what streaming a transpose takes.
 */
const TILE_BYTES = 32 * 2 ** 20;

/** A box of a loader; what overflows on the way to `dtype` is counted, where somebody wants to know. */
export async function loadCounting(
  loader: Loader,
  region: Region,
  dtype: DType,
  loss?: Loss,
  take?: Take,
): Promise<TypedArray> {
  if (!loss) return loader.load(region, dtype, take);
  return convertData(await loader.load(region, loader.dtype, take), loader.dtype, dtype, loss, take);
}

/** A loader's bytes in row-major order. */
export async function* streamPlain(
  loader: Loader,
  dtype: DType,
  { chunkBytes, signal, loss, reuse }: PlainOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const atOnce = loader.scattered ? Math.max(chunkBytes, TILE_BYTES) : chunkBytes;
  const most = Math.max(1, Math.floor(atOnce / DTYPES[dtype].bytes));
  const arena = reuse ? reusingArena() : undefined;
  for (const region of boxesInOrder(loader.shape, most)) {
    signal?.throwIfAborted();
    arena?.reset();
    const { buffer, byteOffset, byteLength } = await loadCounting(loader, region, dtype, loss, arena?.take);
    for (let at = 0; at < byteLength; at += chunkBytes)
      yield new Uint8Array(buffer, byteOffset + at, Math.min(chunkBytes, byteLength - at));
  }
  arena?.done(); // not where the reader stopped early, who may still look at the last chunk
}
