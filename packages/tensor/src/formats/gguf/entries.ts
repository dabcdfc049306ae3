import { TensorError } from "../../error.ts";
import type { GgufFormat } from "../../format.ts";
import type { BlockCodec } from "../block-codec.ts";
import type { Codec, FormatEntry } from "../codec.ts";
import { blockCodecs } from "./index.ts";

/** GGUF's block types as entries of the format table; most are only read. */
export const GGUF_FORMATS: readonly FormatEntry[] = Object.entries(blockCodecs).map(([name, codec]) => {
  const made = rowsOf(name as GgufFormat, codec);
  return { name, title: `GGUF ${name.replace("gguf_", "").toUpperCase()}`, options: {}, make: () => made };
});

function rowsOf(name: GgufFormat, { block, bytes, decode, encode }: BlockCodec): Codec {
  const rowBytes = (columns: number) => {
    if (columns % block !== 0)
      throw new TensorError("format-shape", `rows of ${columns} can't be cut into ${name}'s blocks of ${block}`);
    return (columns / block) * bytes;
  };
  const pack = (values: Float32Array, rows: number, columns: number) => {
    const packed = new Uint8Array(rows * rowBytes(columns));
    if (!encode) throw new TensorError("format-unsupported", `${name} can be read, but not made`);
    encode(values, packed);
    return packed;
  };
  const unpack = (packed: Uint8Array, values: Float32Array) => {
    decode(packed, values);
    return values;
  };
  return {
    block: () => block,
    bitsPerWeight: () => (8 * bytes) / block,
    parts: (rows, columns) => ({ data: { dtype: "u8", shape: [rows, rowBytes(columns)] } }),
    encode: (values, rows, columns) => ({ data: pack(values, rows, columns) }),
    decode: ({ data }, rows, columns) => unpack(data as Uint8Array, new Float32Array(rows * columns)),
    round: (values, rows, columns) => {
      unpack(pack(values, rows, columns), values);
    },
    bound: (values) => BOUNDS[name]?.(values) ?? Number.POSITIVE_INFINITY,
  };
}

/**
 * How far the types that can be made may be off: so much of the largest magnitude, or of the range, and of the codes' number what
 * fp16 makes of the scale. Beyond fp16 there is no bound.
 */
const BOUNDS: Readonly<Partial<Record<GgufFormat, (block: Float32Array) => number>>> = {
  q4_0: (block) => within(largest(block), largest(block) * (1 / 8 + 2 ** -8)),
  q5_0: (block) => within(largest(block), largest(block) * (1 / 16 + 2 ** -8)),
  q8_0: (block) => within(largest(block), largest(block) * (0.5 / 127 + 2 ** -10)),
  q4_1: (block) => within(largest(block), range(block) * (0.5 / 15 + 2 ** -10) + largest(block) * 2 ** -10),
  q5_1: (block) => within(largest(block), range(block) * (0.5 / 31 + 2 ** -10) + largest(block) * 2 ** -10),
  gguf_mxfp4: (block) => (Number.isFinite(largest(block)) ? largest(block) / 4 + 2 ** -127 : Number.POSITIVE_INFINITY),
};

/** Below fp16's normal numbers a scale is off by half its smallest step, a value by 128 times that at most. */
function within(magnitude: number, bound: number): number {
  return magnitude < 65504 ? bound + 128 * 2 ** -25 : Number.POSITIVE_INFINITY;
}

function largest(block: Float32Array): number {
  return block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function range(block: Float32Array): number {
  return block.reduce((a, b) => Math.max(a, b)) - block.reduce((a, b) => Math.min(a, b));
}
