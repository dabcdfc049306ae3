import { bytesToAlphabet, byteToChar } from "../text/byte-alphabet.ts";
import { IntList } from "../text/int-list.ts";
import { codePointAt, type Units } from "../text/units.ts";
import { encodeUtf8, putUtf8 } from "../text/utf8.ts";
import { Merger } from "./merge.ts";
import type { MergeTable } from "./merge-table.ts";
import type { Model } from "./model.ts";
import type { Vocab } from "./vocab.ts";
import { hashUnits, MAX_CACHED_UNITS, WordCache } from "./word-cache.ts";

export interface BpeOptions {
  readonly vocab: Vocab;
  readonly merges: MergeTable;
  /** Symbols are the bytes of the text, written in GPT-2's alphabet; otherwise they are characters. */
  readonly byteLevel: boolean;
  /** A word that is in the vocabulary is that token, whatever the merges say. */
  readonly ignoreMerges?: boolean;
  /** A character without a token becomes its bytes' tokens `<0x00>` … `<0xFF>`. */
  readonly byteFallback?: boolean;
  readonly unknown?: string | undefined;
  /** Several unknown characters in a row are one token. */
  readonly fuseUnknown?: boolean;
  readonly continuingPrefix?: string;
  readonly endOfWordSuffix?: string;
}

const UNSEEN = -2;
const SPACE_MARK = 0x2581; // ▁

/** Byte-pair encoding, over bytes or over characters. */
export class BpeModel implements Model {
  readonly vocab: Vocab;
  /** Reads text as bytes, so that nothing need write them in GPT-2's alphabet first. */
  readonly byteLevel: boolean;
  readonly #options: BpeOptions;
  readonly #merger: Merger;
  readonly #cache = new WordCache();
  readonly #byteIds: Int32Array;
  readonly #unknownId: number;
  readonly #charIds = new Int32Array(0x10000).fill(UNSEEN);
  readonly #astralIds = new Map<number, number>();
  readonly #fallbacks = new Map<string, Int32Array>();
  /** The most symbols that a UTF-16 unit may become: its bytes, and those of what stands around it. */
  readonly #symbolsPerUnit: number;
  #cuts: boolean | undefined;
  // Which units each symbol covers, when spans are asked for.
  #symbolStarts = new Int32Array(0);
  #symbolEnds = new Int32Array(0);
  #utf8 = new Uint8Array(4);

  constructor(options: BpeOptions) {
    this.vocab = options.vocab;
    this.byteLevel = options.byteLevel;
    this.#options = options;
    this.#merger = new Merger(options.merges);
    this.#unknownId = options.unknown === undefined ? -1 : options.vocab.idOf(options.unknown);
    const affixes = encodeUtf8((options.continuingPrefix ?? "") + (options.endOfWordSuffix ?? "")).length;
    this.#symbolsPerUnit = options.byteLevel ? 3 : options.byteFallback ? 3 + affixes : 1;
    this.#byteIds = Int32Array.from({ length: 256 }, (_, byte) =>
      options.vocab.idOf(options.byteLevel ? byteToChar[byte] : byteToken(byte)),
    );
  }

  encode(source: Units, start: number, end: number, out: IntList, spans?: IntList): void {
    if (!this.#cutsBeforeSpaces()) {
      this.#encodeWord(source, start, end, out, spans);
      return;
    }
    const { units } = source;
    let from = start;
    for (let i = start + 1; i < end; i++) {
      if (units[i] !== SPACE_MARK || units[i - 1] === SPACE_MARK) continue;
      this.#encodeWord(source, from, i, out, spans);
      from = i;
    }
    if (from < end) this.#encodeWord(source, from, end, out, spans);
  }

  /**
   * Whether text may be cut before each ▁ that follows another character: exact when no token holds that sequence, since
   * then no merge can cross it. It turns the one endless word of Llama's tokenizers into words that the cache knows.
   */
  #cutsBeforeSpaces(): boolean {
    return (this.#cuts ??= this.#mayCut());
  }

  #mayCut(): boolean {
    const { byteLevel, ignoreMerges, continuingPrefix, endOfWordSuffix } = this.#options;
    if (byteLevel || ignoreMerges || continuingPrefix || endOfWordSuffix || this.vocab.idOf("▁") < 0) return false;
    for (let id = 0; id < this.vocab.size; id++) {
      const token = this.vocab.utf8Of(id);
      if (token === undefined) continue;
      for (let i = 1; i + 2 < token.length; i++) {
        const marks = token[i] === 0xe2 && token[i + 1] === 0x96 && token[i + 2] === 0x81;
        if (!marks) continue;
        if (i < 3 || token[i - 3] !== 0xe2 || token[i - 2] !== 0x96 || token[i - 1] !== 0x81) return false;
      }
    }
    return true;
  }

  #encodeWord(source: Units, start: number, end: number, out: IntList, spans: IntList | undefined): void {
    if (end - start > MAX_CACHED_UNITS || spans !== undefined) {
      this.#split(source, start, end, out, spans);
      return;
    }
    const hash = hashUnits(source.units, start, end);
    if (this.#cache.find(source.units, start, end, hash, out)) return;
    const from = out.length;
    this.#split(source, start, end, out, undefined);
    this.#cache.add(source.units, start, end, hash, out, from);
  }

  #split(source: Units, start: number, end: number, out: IntList, spans: IntList | undefined): void {
    // A token has at least one byte for each unit of its text, so a longer word can't be one.
    if (this.#options.ignoreMerges && end - start <= this.vocab.longest) {
      const id = this.#wholeWord(source.text.slice(start, end));
      if (id >= 0) {
        out.push(id);
        spans?.push(start);
        spans?.push(end);
        return;
      }
    }
    const merger = this.#merger;
    merger.reserve((end - start) * this.#symbolsPerUnit);
    if (spans !== undefined && this.#symbolStarts.length < merger.symbols.length) {
      this.#symbolStarts = new Int32Array(merger.symbols.length);
      this.#symbolEnds = new Int32Array(merger.symbols.length);
    }
    const track = spans !== undefined;
    const count = this.#options.byteLevel
      ? this.#byteSymbols(source.units, start, end, track)
      : this.#charSymbols(source, start, end, track);
    if (count === 0) return;
    if (spans === undefined) {
      merger.merge(count, out);
      return;
    }
    const positions = new IntList(count);
    merger.merge(count, out, positions);
    for (let i = 0; i < positions.length; i++) {
      const last = i + 1 < positions.length ? positions.values[i + 1] - 1 : count - 1;
      spans.push(this.#symbolStarts[positions.values[i]]);
      spans.push(this.#symbolEnds[last]);
    }
  }

  #wholeWord(word: string): number {
    return this.vocab.idOf(this.#options.byteLevel ? bytesToAlphabet(encodeUtf8(word)) : word);
  }

  #byteSymbols(units: Uint16Array, start: number, end: number, track: boolean): number {
    const symbols = this.#merger.symbols;
    const ids = this.#byteIds;
    const utf8 = this.#utf8;
    let count = 0;
    for (let i = start; i < end; i++) {
      const code = codePointAt(units, i);
      const width = code > 0xffff ? 2 : 1;
      const bytes = putUtf8(utf8, 0, code);
      for (let b = 0; b < bytes; b++) {
        const id = ids[utf8[b]] >= 0 ? ids[utf8[b]] : this.#unknownId;
        if (id < 0) continue; // as in the Rust library: without an unknown token, what has no token is left out
        if (track) {
          this.#symbolStarts[count] = i;
          this.#symbolEnds[count] = i + width;
        }
        symbols[count++] = id;
      }
      i += width - 1;
    }
    return count;
  }

  #charSymbols(source: Units, start: number, end: number, track: boolean): number {
    const { units } = source;
    const symbols = this.#merger.symbols;
    const starts = this.#symbolStarts;
    const ends = this.#symbolEnds;
    let count = 0;
    let unknownFrom = -1; // start of a run of unknown characters not yet written
    let unknownTo = -1;
    const flush = () => {
      if (track) {
        starts[count] = unknownFrom;
        ends[count] = unknownTo;
      }
      symbols[count++] = this.#unknownId;
      unknownFrom = -1;
    };
    for (let i = start; i < end; ) {
      const code = codePointAt(units, i);
      const after = i + (code > 0xffff ? 2 : 1);
      const id = this.#symbolOf(code, i === start, after === end);
      if (id >= 0) {
        if (unknownFrom >= 0) flush();
        if (track) {
          starts[count] = i;
          ends[count] = after;
        }
        symbols[count++] = id;
      } else {
        const bytes = this.#options.byteFallback ? this.#fallbackBytes(code, i === start, after === end) : undefined;
        if (bytes !== undefined) {
          for (const byte of bytes) {
            if (track) {
              starts[count] = i;
              ends[count] = after;
            }
            symbols[count++] = byte;
          }
        } else if (this.#unknownId >= 0) {
          if (unknownFrom >= 0 && !this.#options.fuseUnknown) flush();
          if (unknownFrom < 0) unknownFrom = i;
          unknownTo = after;
        }
      }
      i = after;
    }
    if (unknownFrom >= 0) flush();
    return count;
  }

  #symbolOf(code: number, first: boolean, last: boolean): number {
    const { continuingPrefix, endOfWordSuffix } = this.#options;
    if (continuingPrefix || endOfWordSuffix) return this.vocab.idOf(this.#affixed(code, first, last));
    const known = code < 0x10000 ? this.#charIds[code] : (this.#astralIds.get(code) ?? UNSEEN);
    if (known !== UNSEEN) return known;
    const id = this.vocab.idOf(String.fromCodePoint(code));
    if (code < 0x10000) this.#charIds[code] = id;
    else this.#astralIds.set(code, id);
    return id;
  }

  #affixed(code: number, first: boolean, last: boolean): string {
    const { continuingPrefix = "", endOfWordSuffix = "" } = this.#options;
    return (first ? "" : continuingPrefix) + String.fromCodePoint(code) + (last ? endOfWordSuffix : "");
  }

  /** The tokens of a character's bytes, if every one of them has a token. */
  #fallbackBytes(code: number, first: boolean, last: boolean): Int32Array | undefined {
    const char = this.#affixed(code, first, last);
    const known = this.#fallbacks.get(char);
    if (known !== undefined) return known;
    const bytes = Int32Array.from(encodeUtf8(char), (byte) => this.#byteIds[byte]);
    if (bytes.includes(-1)) return undefined;
    this.#fallbacks.set(char, bytes);
    return bytes;
  }
}

/** How vocabularies with byte fallback name a byte's token. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}
