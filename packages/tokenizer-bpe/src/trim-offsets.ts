import type { OffsetTrim } from "./post.ts";
import type { IntList } from "./text/int-list.ts";

/**
 * Takes the white space at tokens' ends out of their places. As in the Rust library, the tokens say how much there is, and
 * not the text: line ends in GPT-2's alphabet stay.
 */
export function trimOffsets(offsets: IntList, trim: OffsetTrim, tokenAt: (index: number) => string): void {
  const { values } = offsets;
  for (let i = 0; i < offsets.length; i += 2) {
    const token = tokenAt(i / 2);
    const [start, end] = [values[i], values[i + 1]];
    const before = leading(token);
    // A single space before the first word is the one that was put there, which has no place.
    const added = trim.prefixSpace && before === 1 && (i === 0 || start === 0);
    values[i] = Math.min(start + (added ? 0 : before), end);
    const after = trailing(token);
    if (end >= after) values[i + 1] = Math.max(end - after, values[i]);
  }
}

const space = /[\p{White_Space}Ġ]/u;

function leading(token: string): number {
  let count = 0;
  while (count < token.length && space.test(token[count])) count++;
  return count;
}

function trailing(token: string): number {
  let count = 0;
  while (count < token.length && space.test(token[token.length - 1 - count])) count++;
  return count;
}
