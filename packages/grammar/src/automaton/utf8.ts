import { type CodePoints, pairs } from "../rules/code-points.ts";

/** Bytes `lo…hi` at one place of a UTF-8 sequence. */
export interface ByteRange {
  readonly lo: number;
  readonly hi: number;
}

/** Last code points of one, two, three and four bytes. */
const LENGTH_ENDS = [0x7f, 0x7ff, 0xffff, 0x10ffff] as const;

/** The UTF-8 of a set of code points, as disjoint sequences of byte ranges in ascending order; surrogates have none. */
export function utf8Sequences(set: CodePoints): ByteRange[][] {
  const sequences: ByteRange[][] = [];
  for (const [lo, hi] of pairs(set)) {
    let from = lo;
    for (const [i, end] of LENGTH_ENDS.entries()) {
      if (from > hi || from > end) continue;
      const to = Math.min(hi, end);
      if (end === 0xffff) {
        split(from, Math.min(to, 0xd7ff), i + 1, sequences);
        split(Math.max(from, 0xe000), to, i + 1, sequences);
      } else split(from, to, i + 1, sequences);
      from = to + 1;
    }
  }
  return sequences;
}

/** Cuts `lo…hi`, all of one encoded length, where a continuation byte would not run over its whole range. */
function split(lo: number, hi: number, length: number, into: ByteRange[][]): void {
  if (lo > hi) return;
  for (let i = 1; i < length; i++) {
    const mask = (1 << (6 * i)) - 1;
    if (lo >> (6 * i) === hi >> (6 * i)) continue;
    if ((lo & mask) !== 0) {
      split(lo, lo | mask, length, into);
      split((lo | mask) + 1, hi, length, into);
      return;
    }
    if ((hi & mask) !== mask) {
      split(lo, (hi & ~mask) - 1, length, into);
      split(hi & ~mask, hi, length, into);
      return;
    }
  }
  const [first, last] = [encode(lo, length), encode(hi, length)];
  into.push(first.map((byte, i) => ({ lo: byte, hi: last[i] })));
}

function encode(code: number, length: number): number[] {
  if (length === 1) return [code];
  const bytes = [];
  for (let i = length - 1; i > 0; i--) bytes.unshift(0x80 | ((code >> (6 * (length - 1 - i))) & 0x3f));
  const lead = (0xff << (8 - length)) & 0xff;
  return [lead | (code >> (6 * (length - 1))), ...bytes];
}
