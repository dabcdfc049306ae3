import { fastCodecs } from "@llm/tensor";

const INFINITY = 0x7c00;
const LARGEST = 0x7bff; // 65504

/** Puts fp16's largest number where a conversion overflowed, and says how often: one infinity would spoil every result. */
export function clipHalf(bytes: Uint8Array): number {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const fast = fastCodecs(halves.length)?.clipHalves(halves);
  if (fast !== undefined) return fast;
  let clipped = 0;
  for (let i = 0; i < halves.length; i++)
    if ((halves[i] & 0x7fff) === INFINITY) {
      halves[i] = (halves[i] & 0x8000) | LARGEST;
      clipped++;
    }
  return clipped;
}
