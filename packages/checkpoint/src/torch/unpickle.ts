import { printable } from "../error.ts";
import { MAX_PICKLE_LONG_BYTES, MAX_PICKLE_STEPS } from "../limits.ts";
import { PyDict, PyFunction, type PyGlobal } from "./pickle-values.ts";

/** The bytes aren't a pickle, or one that builds nonsense. */
export class MalformedPickle extends Error {}

/** The pickle wants something that only running code could give. */
export class RefusedPickle extends Error {}

/** The bytes end before the pickle does: damaged, or only the first part of a file was given. */
export class PickleTooShort extends Error {}

export interface UnpickleOptions {
  readonly globals: ReadonlyMap<string, PyGlobal>;
  readonly persistent: (id: unknown) => unknown;
}

export interface Unpickled {
  readonly value: unknown;
  readonly end: number; // position after the pickle
}

/**
 * Reads one pickle. It can only make what the format's own literals are, and what the functions in `globals` return;
 * a name that isn't there ends it. Time and memory are bounded.
 */
export function unpickle(bytes: Uint8Array, start: number, options: UnpickleOptions): Unpickled {
  const vm = new Machine(bytes, start, options);
  for (;;) {
    const code = vm.byte();
    vm.spend(1);
    if (code === STOP) return { value: vm.pop(), end: vm.at };
    const op = OPS.get(code);
    if (!op) throw new MalformedPickle(`it has an unknown instruction 0x${code.toString(16).padStart(2, "0")}`);
    op(vm);
  }
}

const STOP = 0x2e;
const MARK = Symbol("mark");

class Machine {
  at: number;
  readonly memo: Map<number, unknown> = new Map();
  readonly options: UnpickleOptions;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #stack: unknown[] = [];
  #steps = 0;

  constructor(bytes: Uint8Array, start: number, options: UnpickleOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.options = options;
  }

  #advance(length: number): number {
    const start = this.at;
    if (start + length > this.#bytes.length) throw new PickleTooShort("it ends in the middle");
    this.at = start + length;
    return start;
  }

  byte(): number {
    return this.#view.getUint8(this.#advance(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }
  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }
  u64(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > Number.MAX_SAFE_INTEGER) throw new PickleTooShort("it ends in the middle");
    return Number(value);
  }
  f64(): number {
    return this.#view.getFloat64(this.#advance(8), false); // the one big-endian thing in a pickle
  }
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }
  text(length: number): string {
    return UTF8.decode(this.bytes(length));
  }
  latin(length: number): string {
    return LATIN1.decode(this.bytes(length));
  }
  /** Text up to a line break, which is consumed. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleTooShort("it ends in the middle");
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  /** Counts work; a pickle has so much and no more. */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MAX_PICKLE_STEPS) throw new MalformedPickle(`it takes more than ${MAX_PICKLE_STEPS} steps`);
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }
  mark(): void {
    this.push(MARK);
  }
  pop(): unknown {
    const value = this.#stack.pop();
    if (value === MARK || value === undefined) throw new MalformedPickle("it takes a value where there is none");
    return value;
  }
  /** Takes whatever is there: a mark, too. */
  drop(): void {
    if (this.#stack.pop() === undefined) throw new MalformedPickle("it takes a value where there is none");
  }
  /** The values since the last mark, which goes too. */
  popMark(): unknown[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw new MalformedPickle("it takes a list where there is none");
    const values = this.#stack.splice(at + 1);
    this.#stack.pop();
    return values;
  }
  top(): unknown {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  long(length: number): number | bigint {
    if (length > MAX_PICKLE_LONG_BYTES) throw new MalformedPickle(`it has an integer of ${length} bytes`);
    const bytes = this.bytes(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    if (length > 0 && bytes[length - 1]! >= 0x80) value -= 1n << BigInt(8 * length);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  global(module: string, name: string): void {
    const value = this.options.globals.get(`${module}.${name}`);
    if (value === undefined)
      throw new RefusedPickle(
        `its pickle uses ${printable(`${module}.${name}`)}, which is not needed for tensors; nothing in a checkpoint is executed`,
      );
    this.push(value);
  }

  call(): void {
    const args = this.pop();
    const fn = this.pop();
    if (!(fn instanceof PyFunction) || !Array.isArray(args))
      throw new MalformedPickle("it calls what isn't a function");
    for (const arg of args) if (Array.isArray(arg)) this.spend(arg.length); // a list may be kept and passed many times
    const value = fn.call(args);
    this.push(value === undefined ? null : value);
  }

  memoGet(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw new MalformedPickle(`it recalls value ${index}, which it never kept`);
    this.push(value);
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
const LATIN1 = new TextDecoder("latin1");

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new MalformedPickle("it appends to what isn't a list");
  return value;
}

function setItems(vm: Machine, items: readonly unknown[]): void {
  const dict = vm.top();
  if (!(dict instanceof PyDict) || items.length % 2 !== 0)
    throw new MalformedPickle("it sets items of what isn't a dict");
  for (let i = 0; i < items.length; i += 2) dict.items.set(items[i], items[i + 1]);
}

function dictOf(items: readonly unknown[]): PyDict {
  const dict = new PyDict();
  for (let i = 0; i + 1 < items.length; i += 2) dict.items.set(items[i], items[i + 1]);
  return dict;
}

function appendAll(vm: Machine, items: readonly unknown[]): void {
  const target = list(vm.top());
  for (const item of items) target.push(item);
}

function integer(text: string): number {
  if (!/^-?\d{1,15}L?$/.test(text)) throw new MalformedPickle("it has an integer that isn't one");
  return Number.parseInt(text, 10);
}

function tupleOf(vm: Machine, length: number): void {
  const values: unknown[] = new Array(length);
  for (let i = length - 1; i >= 0; i--) values[i] = vm.pop();
  vm.push(values);
}

function append(vm: Machine): void {
  const value = vm.pop();
  list(vm.top()).push(value);
}

function setItem(vm: Machine): void {
  const value = vm.pop();
  setItems(vm, [vm.pop(), value]);
}

function intOrBool(text: string): number | boolean {
  return text === "01" ? true : text === "00" ? false : integer(text);
}

/** Names must be strings before they are looked at: turning a list that holds itself into text would not end. */
function stackGlobal(vm: Machine): void {
  const name = vm.pop();
  const module = vm.pop();
  if (typeof name !== "string" || typeof module !== "string") throw new MalformedPickle("it names what isn't a name");
  vm.global(module, name);
}

/**
 * Instructions by their code, protocols 0 to 5. Left out, and so refused: INST and OBJ, which make objects of any class, and
 * extension codes and out-of-band buffers, which nobody saves tensors with.
 */
const OPS: ReadonlyMap<number, (vm: Machine) => unknown> = new Map([
  [0x80, (vm) => vm.byte()], // PROTO
  [0x95, (vm) => vm.u64()], // FRAME
  [0x28, (vm) => vm.mark()], // MARK
  [0x30, (vm) => vm.drop()], // POP
  [0x31, (vm) => vm.popMark()], // POP_MARK
  [0x32, (vm) => vm.push(vm.top())], // DUP
  [0x4e, (vm) => vm.push(null)], // NONE
  [0x88, (vm) => vm.push(true)], // NEWTRUE
  [0x89, (vm) => vm.push(false)], // NEWFALSE
  [0x49, (vm) => vm.push(intOrBool(vm.line()))], // INT
  [0x4c, (vm) => vm.push(integer(vm.line()))], // LONG
  [0x4a, (vm) => vm.push(vm.i32())], // BININT
  [0x4b, (vm) => vm.push(vm.byte())], // BININT1
  [0x4d, (vm) => vm.push(vm.u16())], // BININT2
  [0x8a, (vm) => vm.push(vm.long(vm.byte()))], // LONG1
  [0x8b, (vm) => vm.push(vm.long(vm.u32()))], // LONG4
  [0x46, (vm) => vm.push(Number.parseFloat(vm.line()))], // FLOAT
  [0x47, (vm) => vm.push(vm.f64())], // BINFLOAT
  [0x56, (vm) => vm.push(vm.line())], // UNICODE
  [0x58, (vm) => vm.push(vm.text(vm.u32()))], // BINUNICODE
  [0x8c, (vm) => vm.push(vm.text(vm.byte()))], // SHORT_BINUNICODE
  [0x8d, (vm) => vm.push(vm.text(vm.u64()))], // BINUNICODE8
  [0x53, (vm) => vm.push(vm.line().slice(1, -1))], // STRING
  [0x54, (vm) => vm.push(vm.latin(vm.u32()))], // BINSTRING
  [0x55, (vm) => vm.push(vm.latin(vm.byte()))], // SHORT_BINSTRING
  [0x42, (vm) => vm.push(vm.bytes(vm.u32()))], // BINBYTES
  [0x43, (vm) => vm.push(vm.bytes(vm.byte()))], // SHORT_BINBYTES
  [0x8e, (vm) => vm.push(vm.bytes(vm.u64()))], // BINBYTES8
  [0x29, (vm) => vm.push([])], // EMPTY_TUPLE
  [0x5d, (vm) => vm.push([])], // EMPTY_LIST
  [0x7d, (vm) => vm.push(new PyDict())], // EMPTY_DICT
  [0x8f, (vm) => vm.push([])], // EMPTY_SET
  [0x74, (vm) => vm.push(vm.popMark())], // TUPLE
  [0x85, (vm) => tupleOf(vm, 1)], // TUPLE1
  [0x86, (vm) => tupleOf(vm, 2)], // TUPLE2
  [0x87, (vm) => tupleOf(vm, 3)], // TUPLE3
  [0x6c, (vm) => vm.push(vm.popMark())], // LIST
  [0x91, (vm) => vm.push(vm.popMark())], // FROZENSET
  [0x64, (vm) => vm.push(dictOf(vm.popMark()))], // DICT
  [0x61, (vm) => append(vm)], // APPEND
  [0x65, (vm) => appendAll(vm, vm.popMark())], // APPENDS
  [0x90, (vm) => appendAll(vm, vm.popMark())], // ADDITEMS
  [0x73, (vm) => setItem(vm)], // SETITEM
  [0x75, (vm) => setItems(vm, vm.popMark())], // SETITEMS
  [0x70, (vm) => vm.memo.set(integer(vm.line()), vm.top())], // PUT
  [0x71, (vm) => vm.memo.set(vm.byte(), vm.top())], // BINPUT
  [0x72, (vm) => vm.memo.set(vm.u32(), vm.top())], // LONG_BINPUT
  [0x94, (vm) => vm.memo.set(vm.memo.size, vm.top())], // MEMOIZE
  [0x67, (vm) => vm.memoGet(integer(vm.line()))], // GET
  [0x68, (vm) => vm.memoGet(vm.byte())], // BINGET
  [0x6a, (vm) => vm.memoGet(vm.u32())], // LONG_BINGET
  [0x63, (vm) => vm.global(vm.line(), vm.line())], // GLOBAL
  [0x93, (vm) => stackGlobal(vm)], // STACK_GLOBAL
  [0x52, (vm) => vm.call()], // REDUCE
  [0x81, (vm) => vm.call()], // NEWOBJ
  // Attributes of an object: a state dict has `_metadata`, versions of modules, which says nothing about tensors.
  [0x62, (vm) => vm.pop()], // BUILD
  [0x50, (vm) => vm.push(vm.options.persistent(vm.line()))], // PERSID
  [0x51, (vm) => vm.push(vm.options.persistent(vm.pop()))], // BINPERSID
]);
