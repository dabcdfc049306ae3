import { Damaged } from "./damaged.ts";

/** A field of a message, as its wire type has it. */
export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Fields of a message in their order, none of them interpreted. Every length is checked before it is believed. */
export function* fields(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const varint = (): bigint => {
    const { value, next } = readVarint(bytes, at);
    at = next;
    return value;
  };
  const take = (length: number): number => {
    if (length > bytes.length - at) throw new Damaged(`a field of ${length} bytes, ${bytes.length - at} are left`);
    at += length;
    return at - length;
  };
  while (at < bytes.length) {
    const tag = Number(varint() & 0xffffffffn);
    const number = tag >>> 3;
    if (number === 0) throw new Damaged("a field without a number");
    switch (tag & 7) {
      case VARINT:
        yield { number, value: varint() };
        break;
      case FIXED64:
        yield { number, value: view.getBigUint64(take(8), true) };
        break;
      case FIXED32:
        yield { number, value: BigInt(view.getUint32(take(4), true)) };
        break;
      case BYTES: {
        const length = varint();
        if (length > BigInt(bytes.length)) throw new Damaged(`a field of ${length} bytes`);
        const start = take(Number(length));
        yield { number, value: bytes.subarray(start, at) };
        break;
      }
      default:
        throw new Damaged(`field ${number} is of a kind that there isn't (${tag & 7})`);
    }
  }
}

function readVarint(bytes: Uint8Array, from: number): { readonly value: bigint; readonly next: number } {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) throw new Damaged("a number ends in the middle");
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: from + i + 1 };
  }
  throw new Damaged("a number of more than 64 bits");
}

/** Numbers of a repeated field, packed or one by one. */
export function numbersOf({ value }: Field): readonly number[] {
  if (typeof value === "bigint") return [numberOf(value)];
  const all: number[] = [];
  for (let at = 0; at < value.length; ) {
    const one = readVarint(value, at);
    all.push(numberOf(one.value));
    at = one.next;
  }
  return all;
}

/** A count or a size; beyond 2^53 there are none. Negative ones are, as in the file, very large. */
export function numberOf(value: Field["value"]): number {
  const number = Number(bitsOf(value));
  if (!Number.isSafeInteger(number)) throw new Damaged(`a size of ${value}`);
  return number;
}

function bitsOf(value: Field["value"]): bigint {
  if (typeof value !== "bigint") throw new Damaged("bytes where a number should be");
  return value;
}

/** A signed number of 32 bits. */
export function signedOf(value: Field["value"]): number {
  return Number(BigInt.asIntN(32, bitsOf(value)));
}

export function bytesOf(value: Field["value"]): Uint8Array {
  if (typeof value === "bigint") throw new Damaged("a number where bytes should be");
  return value;
}

const utf8 = new TextDecoder();

export function textOf(value: Field["value"]): string {
  return utf8.decode(bytesOf(value));
}

/** A float, of which the bits were read. */
export function floatOf(value: Field["value"]): number {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setUint32(0, Number(BigInt.asUintN(32, bitsOf(value))), true);
  return bits.getFloat32(0, true);
}
