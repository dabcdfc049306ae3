import { convertData } from "../convert.ts";
import { DTYPES, type DType, type TypedArray } from "../dtype.ts";
import { TensorError } from "../error.ts";
import type { BlockCodec } from "../formats/block-codec.ts";
import type { Span, StoredTensor, WeightSource } from "../source.ts";
import { allocate, type Take } from "./loader.ts";

/** A stored tensor as a line of elements in the order in which they are stored. */
export interface FlatReader {
  readonly dtype: DType;
  readonly count: number;
  /** Bytes an element takes where it is stored; a fraction for packed formats. */
  readonly elementBytes: number;
  read(start: number, count: number, dtype: DType, take?: Take): Promise<TypedArray>;
}

/** Elements of a plain dtype. */
export function plainReader(stored: StoredTensor, dtype: DType, source: WeightSource): FlatReader {
  const span = dataOf(stored);
  const { bytes } = DTYPES[dtype];
  return {
    dtype,
    count: Math.floor(span.length / bytes),
    elementBytes: bytes,
    read: async (start, count, as, take = allocate) => {
      const data = take(dtype, count);
      const { buffer, byteOffset, byteLength } = data;
      await source.read(part(span, start * bytes, count * bytes), new Uint8Array(buffer, byteOffset, byteLength));
      return convertData(data, dtype, as, undefined, take);
    },
  };
}

/** Elements of a format whose blocks follow each other, decoded. */
export function blockReader(stored: StoredTensor, codec: BlockCodec, source: WeightSource): FlatReader {
  const span = dataOf(stored);
  const { block, bytes } = codec;
  return {
    dtype: "f32",
    count: Math.floor(span.length / bytes) * block,
    elementBytes: bytes / block,
    read: async (start, count, as, take = allocate) => {
      const first = Math.floor(start / block);
      const blocks = Math.ceil((start + count) / block) - first;
      const packed = take("u8", blocks * bytes) as Uint8Array;
      await source.read(part(span, first * bytes, packed.length), packed);
      const values = take("f32", blocks * block) as Float32Array;
      codec.decode(packed, values);
      const from = start - first * block;
      return convertData(values.subarray(from, from + count), "f32", as, undefined, take);
    },
  };
}

/** A part of a span. */
export function part(span: Span, offset: number, length: number): Span {
  return { file: span.file, offset: span.offset + offset, length };
}

function dataOf(stored: StoredTensor): Span {
  const { data } = stored.parts;
  if (!data) throw new TensorError("stored-invalid", `${stored.name}: a tensor of ${stored.format} without data`);
  return data;
}
