import { TargetError } from "@llm/target";

/** More entries than any list of a model file has; a damaged length must not make us reserve gigabytes. */
const MOST_ENTRIES = 1 << 20;

/**
 * How often over a file may be read. Without sharing, all that is read once is less than the file; offsets of a damaged one
 * may lead to the same tables again and again, level by level, so that a few thousand bytes never end.
 */
const TIMES_READ = 4;
/** What a table takes at the least: two offsets, one to it and one of its own. */
const TABLE_BYTES = 8;

/** A file that is not what it says. */
export class Damaged extends TargetError {
  constructor(what: string) {
    super("artefact-damaged", `the bmodel is damaged: ${what}`);
  }
}

/**
 * Reads flatbuffers: tables whose fields are found through a table of offsets, all little endian. Every place is checked
 * before it is read, and how much is read has a bound, so that damaged bytes are an error and never a crash or a loop.
 */
export class Flatbuffer {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #left: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#left = TIMES_READ * bytes.length;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  root(): Table {
    return new Table(this, this.u32(0));
  }

  u16(at: number): number {
    return this.#view.getUint16(this.#check(at, 2), true);
  }

  u32(at: number): number {
    return this.#view.getUint32(this.#check(at, 4), true);
  }

  i32(at: number): number {
    return this.#view.getInt32(this.#check(at, 4), true);
  }

  f32(at: number): number {
    return this.#view.getFloat32(this.#check(at, 4), true);
  }

  /** Addresses and sizes; beyond 2^53 there are none. */
  u64(at: number): number {
    const value = Number(this.#view.getBigUint64(this.#check(at, 8), true));
    if (!Number.isSafeInteger(value)) throw new Damaged(`a size of ${value}`);
    return value;
  }

  slice(at: number, bytes: number): Uint8Array {
    this.spend(bytes);
    return this.#bytes.subarray(this.#check(at, bytes), at + bytes);
  }

  /** How many entries the list at this place has, each of so many bytes. */
  count(at: number, bytes: number): number {
    const count = this.u32(at);
    if (count > MOST_ENTRIES) throw new Damaged(`a list of ${count} entries`);
    this.#check(at + 4, count * bytes);
    return count;
  }

  /** Counts what is read, up to the most that a file is worth. */
  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new Damaged("its tables lead to one another again and again");
  }

  #check(at: number, bytes: number): number {
    if (!(at >= 0 && at + bytes <= this.#bytes.length))
      throw new Damaged(`something lies at ${at}, outside its header`);
    return at;
  }
}

const text = new TextDecoder();

/** A table; its fields are known by their numbers in the schema. What isn't there has its default. */
export class Table {
  readonly #buffer: Flatbuffer;
  readonly #at: number;
  readonly #fields: number; // where offsets of fields are
  readonly #fieldBytes: number;

  constructor(buffer: Flatbuffer, at: number) {
    buffer.spend(TABLE_BYTES);
    this.#buffer = buffer;
    this.#at = at;
    this.#fields = at - buffer.i32(at);
    this.#fieldBytes = buffer.u16(this.#fields);
  }

  u32(field: number, otherwise = 0): number {
    const at = this.#place(field);
    return at === undefined ? otherwise : this.#buffer.u32(at);
  }

  i32(field: number, otherwise = 0): number {
    const at = this.#place(field);
    return at === undefined ? otherwise : this.#buffer.i32(at);
  }

  u64(field: number): number {
    const at = this.#place(field);
    return at === undefined ? 0 : this.#buffer.u64(at);
  }

  f32(field: number, otherwise: number): number {
    const at = this.#place(field);
    return at === undefined ? otherwise : this.#buffer.f32(at);
  }

  /** A structure lies in the table itself. */
  pair(field: number): readonly [number, number] | undefined {
    const at = this.#place(field);
    return at === undefined ? undefined : [this.#buffer.u64(at), this.#buffer.u64(at + 8)];
  }

  text(field: number): string | undefined {
    const at = this.#target(field);
    return at === undefined ? undefined : text.decode(this.#buffer.slice(at + 4, this.#buffer.count(at, 1)));
  }

  table(field: number): Table | undefined {
    const at = this.#target(field);
    return at === undefined ? undefined : new Table(this.#buffer, at);
  }

  tables(field: number): readonly Table[] {
    return this.#list(field, 4, (at) => new Table(this.#buffer, at + this.#buffer.u32(at)));
  }

  u64s(field: number): readonly number[] {
    return this.#list(field, 8, (at) => {
      this.#buffer.spend(8);
      return this.#buffer.u64(at);
    });
  }

  /** How many entries of so many bytes a list has that nobody reads. */
  count(field: number, bytes: number): number {
    const at = this.#target(field);
    return at === undefined ? 0 : this.#buffer.count(at, bytes);
  }

  bytes(field: number): Uint8Array | undefined {
    const at = this.#target(field);
    return at === undefined ? undefined : this.#buffer.slice(at + 4, this.#buffer.count(at, 1));
  }

  #list<T>(field: number, bytes: number, read: (at: number) => T): readonly T[] {
    const at = this.#target(field);
    if (at === undefined) return [];
    return Array.from({ length: this.#buffer.count(at, bytes) }, (_, i) => read(at + 4 + i * bytes));
  }

  #place(field: number): number | undefined {
    const slot = 4 + 2 * field;
    if (slot + 2 > this.#fieldBytes) return undefined; // written before the field was thought of
    const offset = this.#buffer.u16(this.#fields + slot);
    return offset === 0 ? undefined : this.#at + offset;
  }

  #target(field: number): number | undefined {
    const at = this.#place(field);
    return at === undefined ? undefined : at + this.#buffer.u32(at);
  }
}
