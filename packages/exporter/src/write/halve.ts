import { bf16ToNumber, fastCodecs, numberToF16 } from "@llm/tensor";
import { clipHalf } from "./clip-half.ts";

/** What fp16 can be made of without knowing more than one value. */
export type Wider = "bf16" | "f32";

export const WIDER_BYTES: Readonly<Record<Wider, number>> = { bf16: 2, f32: 4 };

/** The largest magnitudes, as bits, that round to a finite fp16. */
const LARGEST_F32 = 0x477fefff;
const LARGEST_BF16 = 0x477f;

/** The highest bit of each half of a word, as signed arithmetic has it, and the largest magnitude in each half below it. */
const TOP_BITS = 0x80008000 | 0;
const LARGEST_PAIR = 0xc77fc77f;

let table: Uint16Array | undefined;

/** fp16 for values of a wider dtype, rounded to nearest even and clipped to what fp16 has; returns how many were clipped. */
export function halve(bytes: Uint8Array, from: Wider, into: Uint16Array): number {
  const values =
    from === "bf16"
      ? new Uint16Array(bytes.buffer, bytes.byteOffset, into.length)
      : new Float32Array(bytes.buffer, bytes.byteOffset, into.length);
  const overflowed = fastCodecs(into.length)?.convert(from, "f16", values, into);
  const fits = overflowed !== undefined ? false : from === "bf16" ? halveBf16(bytes, into) : halveF32(bytes, into);
  return fits ? 0 : clipHalf(new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
}

/** There are only 65536 of them: a table is faster than arithmetic. */
function halveBf16(bytes: Uint8Array, into: Uint16Array): boolean {
  const halves = (table ??= Uint16Array.from({ length: 65536 }, (_, bits) => numberToF16(bf16ToNumber(bits))));
  const { length } = into;
  const values = new Uint16Array(bytes.buffer, bytes.byteOffset, length);
  for (let i = 0; i < length; i++) into[i] = halves[values[i]];

  // Two at a time: what is too large leaves no bit at the top of its half of the difference.
  const pairs = new Uint32Array(bytes.buffer, bytes.byteOffset, length >>> 1);
  let room = TOP_BITS;
  for (let i = 0; i < pairs.length; i++) room &= LARGEST_PAIR - (pairs[i] & 0x7fff7fff);
  const last = length % 2 === 0 || (values[length - 1] & 0x7fff) <= LARGEST_BF16;
  return room === TOP_BITS && last;
}

/** One by one, which is twice as fast as `set`. */
function halveF32(bytes: Uint8Array, into: Uint16Array): boolean {
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, into.length);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, into.length);
  const halves = new Float16Array(into.buffer, into.byteOffset, into.length);
  let room = 0; // negative as soon as one of the differences is
  for (let i = 0; i < into.length; i++) {
    halves[i] = values[i];
    room |= LARGEST_F32 - (words[i] & 0x7fffffff);
  }
  return room >= 0;
}
