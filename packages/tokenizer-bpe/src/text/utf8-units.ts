import { codePointAt } from "./units.ts";
import { putUtf8 } from "./utf8.ts";

/** UTF-8 of a stretch of text, with the way back to its units. */
export interface Utf8 {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** The unit where the character of each byte starts and ends. */
  readonly starts: Int32Array | undefined;
  readonly ends: Int32Array | undefined;
}

export function utf8OfUnits(units: Uint16Array, start: number, end: number, track: boolean): Utf8 {
  const bytes = new Uint8Array((end - start) * 3);
  const starts = track ? new Int32Array(bytes.length) : undefined;
  const ends = track ? new Int32Array(bytes.length) : undefined;
  let length = 0;
  for (let at = start; at < end; ) {
    const code = codePointAt(units, at);
    const after = at + (code > 0xffff ? 2 : 1);
    const next = putUtf8(bytes, length, code);
    starts?.fill(at, length, next);
    ends?.fill(after, length, next);
    length = next;
    at = after;
  }
  return { bytes, length, starts, ends };
}
