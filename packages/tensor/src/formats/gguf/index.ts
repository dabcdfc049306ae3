import type { GgufFormat } from "../../format.ts";
import type { BlockCodec } from "../block-codec.ts";

/** GGUF's block types. */
export const blockCodecs: Readonly<Partial<Record<GgufFormat, BlockCodec>>> = {};
