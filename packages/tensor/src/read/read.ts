import type { Loss } from "../half.ts";
import { type Packing, plainPacking } from "../packing.ts";
import type { WeightSource } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import type { WeightExpr } from "../weight-expr.ts";
import type { Take } from "./loader.ts";
import { loaderOf } from "./loader-of.ts";
import { readPacked, streamPacked } from "./packed.ts";
import { loadCounting, streamPlain } from "./plain.ts";
import { wholeRegion } from "./region.ts";

export interface ReadOptions {
  /** Values that overflow on the way to the dtype asked for are counted here. */
  readonly loss?: Loss | undefined;
}

export interface WholeOptions extends ReadOptions {
  /** Memory to read plain dtypes into, which is the reader's to give out again: see `reusingArena`. */
  readonly take?: Take | undefined;
}

export interface StreamOptions extends ReadOptions {
  /** Most bytes of one chunk; 4 MiB unless said. */
  readonly chunkBytes?: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * A chunk may lie where the one before it was: three times as fast where the bytes are in the file cache, for readers that are
   * done with a chunk before they ask for the next.
   */
  readonly reuse?: boolean;
}

/** Large enough that calls cost nothing. */
const CHUNK_BYTES = 4 * 2 ** 20;

/** An expression's values as one tensor: of a plain dtype, or one part of a packed format. */
export async function read(
  expr: WeightExpr,
  source: WeightSource,
  packing: Packing,
  { loss, take }: WholeOptions = {},
): Promise<Tensor> {
  const dtype = plainPacking(packing);
  if (dtype === undefined) return readPacked(expr, source, packing);
  const loader = loaderOf(expr, source);
  return { dtype, shape: loader.shape, data: await loadCounting(loader, wholeRegion(loader.shape), dtype, loss, take) };
}

/**
 * An expression's bytes in row-major order, with memory that doesn't grow with the tensor: a few chunks, or some 64 MB where the
 * order has to be changed; only formats that pack a matrix as a whole (GPTQ, AWQ, BM1684X) have to hold all of it. A chunk is the
 * reader's to keep, unless `reuse` is set. Nothing is read before the first chunk is asked for.
 */
export async function* stream(
  expr: WeightExpr,
  source: WeightSource,
  packing: Packing,
  { chunkBytes = CHUNK_BYTES, signal, loss, reuse }: StreamOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const dtype = plainPacking(packing);
  const options = { chunkBytes, signal, loss, reuse };
  if (dtype === undefined) yield* streamPacked(expr, source, packing, options);
  else yield* streamPlain(loaderOf(expr, source), dtype, options);
}
