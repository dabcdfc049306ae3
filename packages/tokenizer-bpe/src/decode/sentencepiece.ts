import type { Decoder } from "./decoder.ts";
import { fallbackByte } from "./steps.ts";

export interface SentencePieceDecoding {
  readonly unknown: string;
  readonly unknownSurface: string;
  readonly addDummyPrefix: boolean;
  readonly removeExtraSpaces: boolean;
}

/** SentencePiece's own decoding: the first piece loses its space, bytes that aren't UTF-8 become U+FFFD each. */
export function sentencePieceDecoder(options: SentencePieceDecoding): Decoder {
  return { byteLevel: false, decode: (tokens) => decode(tokens, options) };
}

function decode(tokens: readonly string[], options: SentencePieceDecoding): string {
  const { unknown, unknownSurface, addDummyPrefix, removeExtraSpaces } = options;
  let text = "";
  let bytes: number[] = [];
  let spaceTaken = false;
  for (const token of tokens) {
    const byte = fallbackByte(token);
    if (byte >= 0) {
      bytes.push(byte);
      continue;
    }
    text += textOfBytes(bytes);
    bytes = [];
    if (token === unknown) {
      text += unknownSurface;
      continue;
    }
    let rest = token;
    if (text === "" && !spaceTaken && (addDummyPrefix || removeExtraSpaces) && rest.startsWith("▁")) {
      rest = rest.slice(1);
      // Where extra spaces are removed, the next piece may lose its space too.
      spaceTaken = !removeExtraSpaces;
    }
    text += rest.replaceAll("▁", " ");
  }
  return text + textOfBytes(bytes);
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8, with one U+FFFD for each byte that isn't part of a character. */
function textOfBytes(bytes: readonly number[]): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at];
    const width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    try {
      text += strict.decode(Uint8Array.from(bytes.slice(at, at + width)));
      at += width;
    } catch {
      text += "\ufffd";
      at++;
    }
  }
  return text;
}
