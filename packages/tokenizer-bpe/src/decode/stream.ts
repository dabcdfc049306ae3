import { decodeUtf8, endsUnfinished } from "../text/utf8.ts";

/** Turns ids into text one at a time; what it gives never ends inside a character, and is never taken back. */
export interface TextStream {
  /** The text that this id finishes; empty while more ids are needed. */
  push(id: number): string;
  /** What is left when no more ids come; an unfinished character becomes U+FFFD. */
  end(): string;
}

/** For byte-level tokenizers, where text is the tokens' bytes: only unfinished bytes are kept. */
export class ByteStream implements TextStream {
  readonly #bytesOf: (id: number) => Uint8Array;
  #pending = new Uint8Array(64);
  #length = 0;

  constructor(bytesOf: (id: number) => Uint8Array) {
    this.#bytesOf = bytesOf;
  }

  push(id: number): string {
    const bytes = this.#bytesOf(id);
    if (bytes.length === 0) return "";
    if (this.#length + bytes.length > this.#pending.length) {
      const pending = new Uint8Array((this.#length + bytes.length) * 2);
      pending.set(this.#pending.subarray(0, this.#length));
      this.#pending = pending;
    }
    this.#pending.set(bytes, this.#length);
    this.#length += bytes.length;
    return endsUnfinished(this.#pending, this.#length) ? "" : this.end();
  }

  end(): string {
    const text = decodeUtf8(this.#pending.subarray(0, this.#length));
    this.#length = 0;
    return text;
  }
}

/** More ids than this without a finished character aren't text; then they are decoded as they are. */
const MAX_WAITING = 256;

/**
 * For every other tokenizer, where what a token says depends on its neighbours: decodes the ids since the last but one
 * piece again and gives what is new. The same as the Rust library's `DecodeStream`, which also holds U+FFFD back.
 */
export class WindowStream implements TextStream {
  readonly #decode: (ids: readonly number[]) => string;
  #ids: number[] = [];
  #prefix = "";
  #prefixIds = 0;

  constructor(decode: (ids: readonly number[]) => string) {
    this.#decode = decode;
  }

  push(id: number): string {
    if (this.#prefix === "" && this.#ids.length > 0) {
      const prefix = this.#decode(this.#ids);
      if (!prefix.endsWith("\ufffd")) {
        this.#prefix = prefix;
        this.#prefixIds = this.#ids.length;
      }
    }
    this.#ids.push(id);
    const text = this.#decode(this.#ids);
    if (text.length <= this.#prefix.length) return "";
    if (text.endsWith("\ufffd") && this.#ids.length - this.#prefixIds < MAX_WAITING) return "";
    return this.#give(text);
  }

  end(): string {
    const text = this.#decode(this.#ids);
    return text.length > this.#prefix.length ? this.#give(text) : "";
  }

  #give(text: string): string {
    const fresh = text.slice(this.#prefix.length);
    const given = this.#ids.length - this.#prefixIds;
    this.#ids = this.#ids.slice(this.#prefixIds);
    this.#prefix = this.#decode(this.#ids);
    this.#prefixIds = given;
    return fresh;
  }
}
