import type { BmrtDType } from "@llm/runtime-native/bmrt";
import { TargetError } from "@llm/target";

/** Hides a place from attention once it is added to a score; larger than any score, and a number in 16 bits. */
const HIDDEN = -10000;

/** How zero and "hidden" look, element by element. */
const MASKS: Partial<Record<BmrtDType, (size: number) => Uint16Array | Float32Array>> = {
  f32: (size) => new Float32Array(size).fill(HIDDEN),
  f16: (size) => new Uint16Array(size).fill(0xf0e2),
  bf16: (size) => new Uint16Array(size).fill(0xc61c),
};

/** A mask for `rows` tokens over `places`: what `sees` says is shown, all else is hidden. */
export function mask(
  dtype: BmrtDType,
  rows: number,
  places: number,
  sees: (row: number) => readonly (readonly [from: number, to: number])[],
): Uint8Array {
  const filled = MASKS[dtype]?.(rows * places);
  if (!filled) throw new TargetError("unsupported", `a mask of ${dtype} is not known here`);
  for (let row = 0; row < rows; row++)
    for (const [from, to] of sees(row)) if (to > from) filled.fill(0, row * places + from, row * places + to);
  return bytesOf(filled);
}

/** A prompt's token sees itself and what is before it, as far as its window reaches. */
export function promptMask(dtype: BmrtDType, tokens: number, window = Number.POSITIVE_INFINITY): Uint8Array {
  return mask(dtype, tokens, tokens, (row) => [[Math.max(0, row - window + 1), row + 1]]);
}

/** A token sees the history's first `length` places, as far as its window reaches, and itself, which comes last. */
export function tokenMask(
  dtype: BmrtDType,
  places: number,
  length: number,
  window = Number.POSITIVE_INFINITY,
): Uint8Array {
  return mask(dtype, 1, places, () => [
    [Math.max(0, length - window + 1), length],
    [places - 1, places],
  ]);
}

/** Whole numbers of 32 bits, padded with zeros. */
export function integers(values: ArrayLike<number>, size: number): Uint8Array {
  const padded = new Int32Array(size);
  padded.set(values);
  return bytesOf(padded);
}

/** Numbers of a device as ours. */
export function toFloats(bytes: Uint8Array, dtype: BmrtDType): Float32Array {
  const { buffer } = new Uint8Array(bytes); // aligned, and ours
  switch (dtype) {
    case "f32":
      return new Float32Array(buffer);
    case "f16":
      return new Float32Array(new Float16Array(buffer));
    case "bf16":
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
    default:
      throw new TargetError("unsupported", `logits of ${dtype} are not known here`);
  }
}

export function toIntegers(bytes: Uint8Array): Int32Array {
  return new Int32Array(new Uint8Array(bytes).buffer);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint16Array | Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}
