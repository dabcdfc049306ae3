import { bf16ToNumber, numberToF16 } from "@llm/tensor";
import { clipHalf } from "./clip-half.ts";

/** What fp16 can be made of without knowing more than one value. */
export type Wider = "bf16" | "f32";

export const WIDER_BYTES: Readonly<Record<Wider, number>> = { bf16: 2, f32: 4 };

/** Magnitudes as bits: the largest that round to a finite fp16, and the smallest that is a normal one. */
const LARGEST_F32 = 0x477fefff;
const LARGEST_BF16 = 0x477f;
const SMALLEST_BF16 = 0x3880;

/** The difference of the two formats' exponents, in bf16's place. */
const EXPONENT_SHIFT = 0x3800;

let table: Uint16Array | undefined;

/** fp16 for values of a wider dtype, rounded to nearest even and clipped to what fp16 has; returns how many were clipped. */
export function halve(bytes: Uint8Array, from: Wider, into: Uint16Array): number {
  const fits = from === "bf16" ? halveBf16(bytes, into) : halveF32(bytes, into);
  return fits ? 0 : clipHalf(new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
}

/**
 * fp16 has more digits than bf16, so that within its range only the exponent moves; for what is below and above there is a
 * table.
 */
function halveBf16(bytes: Uint8Array, into: Uint16Array): boolean {
  const others = (table ??= Uint16Array.from({ length: 65536 }, (_, bits) => numberToF16(bf16ToNumber(bits))));
  const values = new Uint16Array(bytes.buffer, bytes.byteOffset, into.length);
  let fits = true;
  for (let i = 0; i < into.length; i++) {
    const bits = values[i];
    const magnitude = bits & 0x7fff;
    if (magnitude >= SMALLEST_BF16 && magnitude <= LARGEST_BF16)
      into[i] = (bits & 0x8000) | ((magnitude - EXPONENT_SHIFT) << 3);
    else {
      into[i] = others[bits];
      fits &&= magnitude < SMALLEST_BF16;
    }
  }
  return fits;
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
