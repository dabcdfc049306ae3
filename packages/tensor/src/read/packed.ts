import { decide } from "../bind.ts";
import { DTYPES } from "../dtype.ts";
import { TensorError } from "../error.ts";
import { shapeOf } from "../expr/shape-of.ts";
import { simplify } from "../expr/simplify.ts";
import { exprText } from "../expr/text.ts";
import type { PartType } from "../formats/codec.ts";
import { codecOf } from "../formats/index.ts";
import { locate } from "../locate.ts";
import { type PackedPart, type Packing, packedPart } from "../packing.ts";
import type { WeightSource } from "../source.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import type { EncodeSpec, WeightExpr } from "../weight-expr.ts";
import { reusingArena } from "./arena.ts";
import { asStoredBytes } from "./as-bytes.ts";
import { allocate } from "./loader.ts";
import { loaderOf } from "./loader-of.ts";
import { type PlainOptions, streamPlain } from "./plain.ts";
import { boxesInOrder } from "./region.ts";

type Wanted = PackedPart & { readonly part: string };

/** The bytes of one part of a packed format: copied where they are stored that way, else made. */
export async function* streamPacked(
  expr: WeightExpr,
  source: WeightSource,
  packing: Packing,
  options: PlainOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const wanted = packedPart(packing);
  const decided = simplify(decide(expr, source));
  const span = locate(decided, source, packing);
  if (span) {
    const arena = options.reuse ? reusingArena() : undefined;
    const take = arena?.take ?? allocate;
    for (let at = 0; at < span.length; at += options.chunkBytes) {
      options.signal?.throwIfAborted();
      arena?.reset();
      const bytes = take("u8", Math.min(options.chunkBytes, span.length - at)) as Uint8Array;
      await source.read({ file: span.file, offset: span.offset + at, length: bytes.length }, bytes);
      yield bytes;
    }
    arena?.done();
    return;
  }
  const stored = asStoredBytes(decided, source, wanted);
  if (stored) yield* streamPlain(loaderOf(stored.expr, stored.source), "u8", options);
  else yield* encoded(decided, source, wanted, options);
}

/** One part of a packed format as a tensor; */
export async function readPacked(expr: WeightExpr, source: WeightSource, packing: Packing): Promise<Tensor> {
  const wanted = packedPart(packing);
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamPacked(expr, source, packing, { chunkBytes: 2 ** 24 })) chunks.push(chunk);
  const bytes = joined(chunks);
  const { dtype, shape } = partOf(shapeOf(expr), wanted);
  if (bytes.length !== sizeOf(shape) * DTYPES[dtype].bytes)
    throw new TensorError(
      "format-shape",
      `${exprText(expr)}: stored with another group than the ${wanted.format} asked for`,
    );
  return { dtype, shape, data: new DTYPES[dtype].array(bytes.buffer) };
}

/** Dtype and shape of one part of a packed format, for a tensor of `shape`. */
export function partOf(shape: readonly number[], packing: Packing): PartType {
  const wanted = packedPart(packing);
  const columns = shape.at(-1) ?? 1;
  const leading = shape.slice(0, -1);
  const codec = codecOf(specOf(wanted));
  if (codec.whole && leading.length !== 1)
    throw new TensorError("format-shape", `${wanted.format} is for matrices, not for [${shape.join(", ")}]`);
  const parts = codec.parts(sizeOf(leading), columns);
  const part = Object.hasOwn(parts, wanted.part) ? parts[wanted.part] : undefined;
  if (!part)
    throw new TensorError(
      "format-unknown",
      `${wanted.format} has no part ${wanted.part}; it has ${Object.keys(parts).join(", ")}`,
    );
  return { dtype: part.dtype, shape: codec.whole ? part.shape : [...leading, ...part.shape.slice(1)] };
}

/** Values that are worked on at a time. */
const AT_ONCE = 2 ** 20;

async function* encoded(
  expr: WeightExpr,
  source: WeightSource,
  wanted: Wanted,
  { chunkBytes, signal, reuse }: PlainOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const codec = codecOf(specOf(wanted));
  // Rounding to what is encoded anyway would only be work twice.
  const loader = loaderOf(expr.op === "encode" && sameSpec(expr.format, wanted) ? expr.of : expr, source);
  partOf(loader.shape, wanted);
  const columns = loader.shape.at(-1) ?? 1;
  const rowsAtOnce = Math.max(1, Math.floor((loader.scattered ? 8 * AT_ONCE : AT_ONCE) / Math.max(1, columns)));
  const leading = loader.shape.slice(0, -1);
  const arena = reuse ? reusingArena() : undefined;
  for (const { start, size } of boxesInOrder(leading, codec.whole ? sizeOf(leading) : rowsAtOnce)) {
    signal?.throwIfAborted();
    const region = loader.shape.length === 0 ? { start, size } : { start: [...start, 0], size: [...size, columns] };
    arena?.reset();
    const values = (await loader.load(region, "f32", arena?.take)) as Float32Array;
    const { buffer, byteOffset, byteLength } = codec.encode(values, sizeOf(size), columns)[wanted.part]!;
    for (let at = 0; at < byteLength; at += chunkBytes)
      yield new Uint8Array(buffer, byteOffset + at, Math.min(chunkBytes, byteLength - at));
  }
  arena?.done();
}

function specOf({ format, group, symmetric }: EncodeSpec): EncodeSpec {
  return { format, ...(group !== undefined && { group }), ...(symmetric !== undefined && { symmetric }) };
}

function sameSpec(a: EncodeSpec, b: EncodeSpec): boolean {
  return a.format === b.format && a.group === b.group && a.symmetric === b.symmetric;
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
