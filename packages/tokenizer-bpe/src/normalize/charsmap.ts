import { invalid } from "../error.ts";
import type { Edit } from "../text/aligned.ts";
import { decodeUtf8, encodeUtf8 } from "../text/utf8.ts";
import type { Normalizer } from "./normalizer.ts";

/**
 * SentencePiece's normalisation map: a double-array trie (Darts) over UTF-8 bytes whose values point into a block of
 * zero-terminated replacements.
 */
export class Charsmap {
  readonly #trie: Uint32Array;
  readonly #replacements: Uint8Array;

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const trieBytes = bytes.length < 4 ? -1 : view.getUint32(0, true);
    if (trieBytes < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length)
      throw invalid("the normalisation map is shorter than it says");
    this.#trie = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => view.getUint32(4 + i * 4, true));
    this.#replacements = bytes.subarray(4 + trieBytes);
  }

  /** The longest entry at a position: how many bytes it covers and what they become. */
  longest(bytes: Uint8Array, from: number, end: number): { length: number; replacement: Uint8Array } | undefined {
    const found = this.#walk(bytes, from, end, true);
    return found === undefined ? undefined : { length: found.length, replacement: this.#replacement(found.value) };
  }

  /** The shortest entry, which is what the Rust library takes of several that begin alike. */
  shortest(bytes: Uint8Array): Uint8Array | undefined {
    const found = this.#walk(bytes, 0, bytes.length, false);
    return found === undefined ? undefined : this.#replacement(found.value);
  }

  #walk(bytes: Uint8Array, from: number, end: number, longest: boolean): { length: number; value: number } | undefined {
    const trie = this.#trie;
    let node = offsetOf(trie[0]);
    let found: { length: number; value: number } | undefined;
    for (let at = from; at < end; at++) {
      node ^= bytes[at];
      const unit = trie[node];
      // The label of a damaged unit never equals a byte, nor does that of one past the end.
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== bytes[at]) break;
      node ^= offsetOf(unit);
      if (((unit >>> 8) & 1) === 1) {
        const leaf = trie[node];
        if (leaf === undefined) break;
        found = { length: at + 1 - from, value: leaf & 0x7fffffff };
        if (!longest) break;
      }
    }
    return found;
  }

  #replacement(start: number): Uint8Array {
    const end = this.#replacements.indexOf(0, start);
    return this.#replacements.subarray(start, end < 0 ? undefined : end);
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** A tokenizer.json's `Precompiled`: by grapheme, then by character, as the Rust library goes about it. */
export function charsmapNormalizer(base64: string): Normalizer {
  if (base64 === "") return { edits: () => [] };
  const map = new Charsmap(fromBase64(base64));
  return {
    edits(text) {
      const edits: Edit[] = [];
      for (const { segment, index } of graphemes.segment(text)) {
        const bytes = encodeUtf8(segment);
        const whole = bytes.length < 6 ? map.shortest(bytes) : undefined;
        if (whole !== undefined) {
          edits.push({ start: index, end: index + segment.length, text: decodeUtf8(whole) });
          continue;
        }
        let at = index;
        for (const char of segment) {
          const replacement = map.shortest(encodeUtf8(char));
          if (replacement !== undefined)
            edits.push({ start: at, end: at + char.length, text: decodeUtf8(replacement) });
          at += char.length;
        }
      }
      return edits;
    },
  };
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch (error) {
    throw invalid("the normalisation map is not base64", error);
  }
}
