import { fastCodecs } from "../../fast-codecs.ts";
import type { GgufFormat } from "../../format.ts";
import type { BlockCodec } from "../block-codec.ts";
import { q2_K, q3_K, q4_K, q5_K, q6_K } from "./k-quants.ts";
import { q4_0, q4_1, q5_0, q5_1, q8_0 } from "./q4-q5-q8.ts";
import { gguf_mxfp4, iq4_nl, iq4_xs } from "./tables.ts";

const OWN: Readonly<Record<GgufFormat, BlockCodec>> = {
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q2_K,
  q3_K,
  q4_K,
  q5_K,
  q6_K,
  iq4_nl,
  iq4_xs,
  gguf_mxfp4,
};

/** GGUF's block types. */
export const blockCodecs: Readonly<Record<GgufFormat, BlockCodec>> = Object.fromEntries(
  Object.entries(OWN).map(([name, codec]) => [name, withFast(name, codec)]),
) as Record<GgufFormat, BlockCodec>;

/** A block type that leaves large arrays to faster loops, where there are any. */
function withFast(name: string, own: BlockCodec): BlockCodec {
  const { block, bytes, encode } = own;
  return {
    block,
    bytes,
    decode(packed, values) {
      if (!fastCodecs(values.length)?.decodeBlocks(name, packed, values)) own.decode(packed, values);
    },
    ...(encode && {
      encode(values, packed) {
        if (!fastCodecs(values.length)?.encodeBlocks(name, values, packed)) encode(values, packed);
      },
    }),
  };
}

/** The block type of that name. */
export function blockCodec(format: string): BlockCodec | undefined {
  return Object.hasOwn(blockCodecs, format) ? blockCodecs[format as GgufFormat] : undefined;
}
