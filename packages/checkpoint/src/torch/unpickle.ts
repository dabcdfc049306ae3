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
    const op = OPS[code];
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

/**
 * Instructions by their code, protocols 0 to 5. Left out, and so refused: INST and OBJ, which make objects of any class, and
 * extension codes and out-of-band buffers, which nobody saves tensors with.
 */
const OPS: Readonly<Record<number, (vm: Machine) => void>> = {
  128: (vm) => void vm.byte(), // PROTO
  149: (vm) => void vm.u64(), // FRAME
  40: (vm) => vm.mark(), // MARK
  48: (vm) => void vm.pop(), // POP
  49: (vm) => void vm.popMark(), // POP_MARK
  50: (vm) => vm.push(vm.top()), // DUP
  78: (vm) => vm.push(null), // NONE
  136: (vm) => vm.push(true), // NEWTRUE
  137: (vm) => vm.push(false), // NEWFALSE
  73: (vm) => {
    const text = vm.line();
    vm.push(text === "01" ? true : text === "00" ? false : integer(text));
  }, // INT
  76: (vm) => vm.push(integer(vm.line())), // LONG
  74: (vm) => vm.push(vm.i32()), // BININT
  75: (vm) => vm.push(vm.byte()), // BININT1
  77: (vm) => vm.push(vm.u16()), // BININT2
  138: (vm) => vm.push(vm.long(vm.byte())), // LONG1
  139: (vm) => vm.push(vm.long(vm.u32())), // LONG4
  70: (vm) => vm.push(Number.parseFloat(vm.line())), // FLOAT
  71: (vm) => vm.push(vm.f64()), // BINFLOAT
  86: (vm) => vm.push(vm.line()), // UNICODE
  88: (vm) => vm.push(vm.text(vm.u32())), // BINUNICODE
  140: (vm) => vm.push(vm.text(vm.byte())), // SHORT_BINUNICODE
  141: (vm) => vm.push(vm.text(vm.u64())), // BINUNICODE8
  83: (vm) => vm.push(vm.line().slice(1, -1)), // STRING
  84: (vm) => vm.push(vm.latin(vm.u32())), // BINSTRING
  85: (vm) => vm.push(vm.latin(vm.byte())), // SHORT_BINSTRING
  66: (vm) => vm.push(vm.bytes(vm.u32())), // BINBYTES
  67: (vm) => vm.push(vm.bytes(vm.byte())), // SHORT_BINBYTES
  142: (vm) => vm.push(vm.bytes(vm.u64())), // BINBYTES8
  41: (vm) => vm.push([]), // EMPTY_TUPLE
  93: (vm) => vm.push([]), // EMPTY_LIST
  125: (vm) => vm.push(new PyDict()), // EMPTY_DICT
  143: (vm) => vm.push([]), // EMPTY_SET
  116: (vm) => vm.push(vm.popMark()), // TUPLE
  133: (vm) => tupleOf(vm, 1), // TUPLE1
  134: (vm) => tupleOf(vm, 2), // TUPLE2
  135: (vm) => tupleOf(vm, 3), // TUPLE3
  108: (vm) => vm.push(vm.popMark()), // LIST
  145: (vm) => vm.push(vm.popMark()), // FROZENSET
  100: (vm) => vm.push(dictOf(vm.popMark())), // DICT
  97: (vm) => {
    const value = vm.pop();
    list(vm.top()).push(value);
  }, // APPEND
  101: (vm) => appendAll(vm, vm.popMark()), // APPENDS
  144: (vm) => appendAll(vm, vm.popMark()), // ADDITEMS
  115: (vm) => {
    const value = vm.pop();
    const key = vm.pop();
    setItems(vm, [key, value]);
  }, // SETITEM
  117: (vm) => setItems(vm, vm.popMark()), // SETITEMS
  112: (vm) => void vm.memo.set(integer(vm.line()), vm.top()), // PUT
  113: (vm) => void vm.memo.set(vm.byte(), vm.top()), // BINPUT
  114: (vm) => void vm.memo.set(vm.u32(), vm.top()), // LONG_BINPUT
  148: (vm) => void vm.memo.set(vm.memo.size, vm.top()), // MEMOIZE
  103: (vm) => vm.memoGet(integer(vm.line())), // GET
  104: (vm) => vm.memoGet(vm.byte()), // BINGET
  106: (vm) => vm.memoGet(vm.u32()), // LONG_BINGET
  99: (vm) => {
    const module = vm.line();
    vm.global(module, vm.line());
  }, // GLOBAL
  147: (vm) => {
    const name = vm.pop();
    vm.global(String(vm.pop()), String(name));
  }, // STACK_GLOBAL
  82: (vm) => vm.call(), // REDUCE
  129: (vm) => vm.call(), // NEWOBJ
  // Attributes of an object; a state dict has `_metadata` (versions of its modules), which says nothing about tensors.
  98: (vm) => void vm.pop(), // BUILD
  80: (vm) => vm.push(vm.options.persistent(vm.line())), // PERSID
  81: (vm) => vm.push(vm.options.persistent(vm.pop())), // BINPERSID
};
