import { Vocabulary } from "../vocabulary/vocabulary.ts";

/** The token that ends an answer in {@link byteVocabulary}. */
export const END = 256;

/** A token for each byte, an end, and as many longer tokens as are given. */
export function byteVocabulary(longer: readonly string[] = []): Vocabulary {
  const bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  return new Vocabulary([...bytes, undefined, ...longer.map((text) => new TextEncoder().encode(text))], [END]);
}
