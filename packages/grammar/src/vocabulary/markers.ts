/** No text has this byte: UTF-8 doesn't know it. */
const EDGE = 0xff;

/**
 * What stands for a token that is no text among the bytes of texts. The byte at its beginning keeps it apart from texts, the one
 * at its end from markers whose names begin with its own.
 */
export function markerBytes(name: string): Uint8Array {
  return Uint8Array.of(EDGE, ...new TextEncoder().encode(name), EDGE);
}

/** Half a character that no character has: such a token can't be part of a text. */
export const isNoText = (bytes: Uint8Array): boolean => bytes.includes(EDGE);
