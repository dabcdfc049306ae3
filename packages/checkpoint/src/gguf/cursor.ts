import { MAX_GGUF_NESTING } from "../limits.ts";
import type { GgufArray, GgufValue } from "./types.ts";

/** The bytes end before the value does: cut off, or only the first part of the file was given. */
export class NeedsMore extends Error {}

/** The bytes say something that makes no sense; `message` says what. */
export class Malformed extends Error {}

/** Reads GGUF's little-endian values one after another. */
export class Cursor {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #base: number; // position of the first byte in the file

  constructor(bytes: Uint8Array, base = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = base;
  }

  #advance(length: number): number {
    const start = this.at;
    if (!(start + length <= this.#bytes.length)) throw new NeedsMore();
    this.at = start + length;
    return start;
  }

  u8 = (): number => this.#view.getUint8(this.#advance(1));
  i8 = (): number => this.#view.getInt8(this.#advance(1));
  u16 = (): number => this.#view.getUint16(this.#advance(2), true);
  i16 = (): number => this.#view.getInt16(this.#advance(2), true);
  u32 = (): number => this.#view.getUint32(this.#advance(4), true);
  i32 = (): number => this.#view.getInt32(this.#advance(4), true);
  f32 = (): number => this.#view.getFloat32(this.#advance(4), true);
  f64 = (): number => this.#view.getFloat64(this.#advance(8), true);
  u64 = (): number | bigint => narrow(this.#view.getBigUint64(this.#advance(8), true));
  i64 = (): number | bigint => narrow(this.#view.getBigInt64(this.#advance(8), true));

  /** A count or an offset: beyond 2^53 there is no file that it could be about. */
  size(): number {
    // In halves: a vocabulary has half a million lengths, and big integers would make up most of the time to open it.
    const at = this.#advance(8);
    const value = this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
    if (value > Number.MAX_SAFE_INTEGER) throw new Malformed(`a length of ${BigInt(value)} makes no sense`);
    return value;
  }

  bool = (): boolean => {
    const value = this.u8();
    if (value > 1) throw new Malformed(`a truth value is ${value}`);
    return value === 1;
  };

  string = (): string => {
    const length = this.size();
    const start = this.#advance(length);
    return UTF8.decode(this.#bytes.subarray(start, start + length));
  };

  value(type: number): GgufValue {
    if (type === ARRAY) return this.#array(0);
    return this.#scalar(type)();
  }

  /** The values of an array, read at last. */
  values(array: GgufArray): GgufValue[] {
    if (array.type === ARRAY) return Array.from({ length: array.count }, () => this.#array(1));
    const read = this.#scalar(array.type);
    return Array.from({ length: array.count }, read);
  }

  /** The places of these texts in an array of texts. */
  find({ type, count }: GgufArray, texts: readonly string[]): number[] {
    if (type !== STRING) return [];
    const wanted = texts.map((text) => Buffer.from(text));
    const lengths = new Set(wanted.map(({ length }) => length));
    const found: number[] = [];
    for (let i = 0; i < count; i++) {
      const length = this.size();
      const start = this.#advance(length);
      if (!lengths.has(length)) continue;
      const same = (text: Buffer) => text.length === length && text.every((byte, j) => byte === this.#bytes[start + j]);
      if (wanted.some(same)) found.push(i);
    }
    return found;
  }

  #scalar(type: number): () => number | bigint | boolean | string {
    const read = this.#scalars.get(type);
    if (!read) throw new Malformed(`there is no value type ${type}`);
    return read;
  }

  /** Skips an array, remembering where it is. */
  #array(depth: number): GgufArray {
    if (depth >= MAX_GGUF_NESTING) throw new Malformed(`arrays are nested more than ${MAX_GGUF_NESTING} deep`);
    const type = this.u32();
    const count = this.size();
    const start = this.at;
    const bytes = FIXED_BYTES.get(type);
    if (bytes !== undefined) this.#advance(count * bytes);
    else if (type === STRING) for (let i = 0; i < count; i++) this.#advance(this.size());
    else if (type === ARRAY) for (let i = 0; i < count; i++) this.#array(depth + 1);
    else throw new Malformed(`there is no value type ${type}`);
    return { kind: "array", type, count, offset: this.#base + start, length: this.at - start };
  }

  readonly #scalars: ReadonlyMap<number, () => number | bigint | boolean | string> = new Map<
    number,
    () => number | bigint | boolean | string
  >([
    [0, this.u8],
    [1, this.i8],
    [2, this.u16],
    [3, this.i16],
    [4, this.u32],
    [5, this.i32],
    [6, this.f32],
    [7, this.bool],
    [8, this.string],
    [10, this.u64],
    [11, this.i64],
    [12, this.f64],
  ]);
}

const STRING = 8;
const ARRAY = 9;
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8],
]);

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
