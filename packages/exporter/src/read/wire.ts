import { readSync } from "node:fs";
import { ExportError } from "../error.ts";

/** Part of a file that holds one protobuf message. */
export interface Region {
  readonly start: number;
  readonly end: number;
}

/** One field of a message: a number, or a region that holds bytes. */
export type Field =
  | { readonly number: number; readonly value: bigint }
  | { readonly number: number; readonly region: Region };

/** Nothing in a real header is longer; what may be longer (tensors) is never read. */
const MAX_TAKEN_BYTES = 16 * 2 ** 20;

/** One read ahead: headers are many small fields. */
const WINDOW_BYTES = 64 * 1024;

/**
 * Walks over protobuf messages in a file without holding them: tensors of gigabytes are stepped over. Each length is
 * checked against what encloses it before it is believed. Synchronous, because what is read is a few windows.
 */
export class WireFile {
  readonly size: number;
  readonly #fd: number;
  readonly #file: string;
  #window = new Uint8Array(0);
  #windowStart = 0;

  constructor(fd: number, size: number, file: string) {
    this.#fd = fd;
    this.size = size;
    this.#file = file;
  }

  /** The fields of a message, in the order of the file. */
  *fields({ start, end }: Region): Iterable<Field> {
    let at = start;
    while (at < end) {
      const tag = this.#varint(at, end);
      const number = Number(tag.value >> 3n);
      const kind = Number(tag.value & 7n);
      if (number === 0) throw this.invalid(`a field without a number at byte ${at}`);
      at = tag.next;
      if (kind === 0) {
        const { value, next } = this.#varint(at, end);
        at = next;
        yield { number, value };
        continue;
      }
      let length = kind === 1 ? 8 : kind === 5 ? 4 : -1;
      if (kind === 2) {
        const read = this.#varint(at, end);
        at = read.next;
        length = read.value > BigInt(end - at) ? -1 : Number(read.value);
      }
      if (length < 0 || length > end - at) throw this.invalid(`a field at byte ${at} goes past its end`);
      yield { number, region: { start: at, end: at + length } };
      at += length;
    }
  }

  /** The bytes of a region, for fields that are small in every real file. */
  take({ start, end }: Region): Uint8Array {
    if (end - start > MAX_TAKEN_BYTES)
      throw this.tooMuch(`a header field of ${end - start} bytes; ${MAX_TAKEN_BYTES} is the limit`);
    const windowEnd = this.#windowStart + this.#window.length;
    if (start < this.#windowStart || end > windowEnd) this.#fill(start, end - start);
    return this.#window.slice(start - this.#windowStart, end - this.#windowStart);
  }

  invalid(reason: string): ExportError {
    return new ExportError("file-invalid", `not an ONNX model: ${reason}`, { file: this.#file });
  }

  tooMuch(reason: string): ExportError {
    return new ExportError("limit-exceeded", `larger than any real model: ${reason}`, { file: this.#file });
  }

  #varint(at: number, end: number): { value: bigint; next: number } {
    let value = 0n;
    for (let index = 0; index < 10 && at + index < end; index++) {
      const byte = this.#byte(at + index);
      value |= BigInt(byte & 127) << BigInt(7 * index);
      if (byte < 128) return { value, next: at + index + 1 };
    }
    throw this.invalid(`a number without an end at byte ${at}`);
  }

  #byte(at: number): number {
    if (at < this.#windowStart || at >= this.#windowStart + this.#window.length) this.#fill(at, 1);
    return this.#window[at - this.#windowStart];
  }

  #fill(start: number, length: number): void {
    const window = new Uint8Array(Math.min(Math.max(length, WINDOW_BYTES), this.size - start));
    let done = 0;
    while (done < window.length) {
      const bytesRead = readSync(this.#fd, window, done, window.length - done, start + done);
      if (bytesRead === 0) throw this.invalid("it became shorter while it was read");
      done += bytesRead;
    }
    this.#window = window;
    this.#windowStart = start;
  }
}
