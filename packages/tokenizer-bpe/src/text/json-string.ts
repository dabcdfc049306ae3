import { invalid } from "../error.ts";
import { putUtf8 } from "./utf8.ts";

const escapes: Readonly<Record<string, number>> = { b: 8, f: 12, n: 10, r: 13, t: 9, '"': 34, "\\": 92, "/": 47 };

/** The UTF-8 bytes of JSON strings, one after another in one buffer, without making JavaScript strings of them. */
export class StringCopier {
  readonly #source: Uint8Array;
  target: Uint8Array;
  /** Where the next string will start. */
  length = 0;

  /** Unescaping never makes a string longer, so `capacity` is at most the length of what is read. */
  constructor(source: Uint8Array, capacity: number) {
    this.#source = source;
    this.target = new Uint8Array(capacity);
  }

  /** Copies the string whose opening quote is at a position; returns the position after its closing quote. */
  copy(from: number): number {
    const source = this.#source;
    const target = this.target;
    if (source[from] !== 0x22) throw invalid(`has no string at byte ${from}`);
    let at = from + 1;
    let length = this.length;
    for (;;) {
      const byte = source[at++];
      if (byte === 0x22) break;
      if (byte === undefined) throw invalid("ends inside a string");
      if (byte === 0x5c) {
        const [code, end] = this.#escape(at);
        at = end;
        length = putUtf8(target, length, code);
      } else target[length++] = byte;
    }
    this.length = length;
    return at;
  }

  #escape(from: number): readonly [code: number, end: number] {
    const letter = String.fromCharCode(this.#source[from] ?? 0);
    if (letter !== "u") {
      const code = escapes[letter];
      if (code === undefined) throw invalid(`has an unknown escape at byte ${from}`);
      return [code, from + 1];
    }
    const high = this.#hex(from + 1);
    if (high < 0xd800 || high > 0xdfff) return [high, from + 5];
    if (high < 0xdc00 && this.#source[from + 5] === 0x5c && this.#source[from + 6] === 0x75) {
      const low = this.#hex(from + 7);
      if (low >= 0xdc00 && low <= 0xdfff) return [0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), from + 11];
    }
    return [0xfffd, from + 5]; // half a pair has no UTF-8
  }

  #hex(from: number): number {
    const digits = String.fromCharCode(...this.#source.subarray(from, from + 4));
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw invalid(`has an unfinished escape at byte ${from}`);
    return Number.parseInt(digits, 16);
  }
}
