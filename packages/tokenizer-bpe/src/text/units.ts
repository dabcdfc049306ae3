/**
 * A text, and its UTF-16 code units in a typed array: scanners and models read the array, because indexing it costs a
 * fraction of `charCodeAt`, which has to ask how the string is stored each time.
 */
export interface Units {
  readonly text: string;
  readonly units: Uint16Array;
}

let scratch = new Uint16Array(4096);

/** The code units of a text. The array is reused by the next call, so it must not be kept. */
export function borrowUnits(text: string): Units {
  const { length } = text;
  if (scratch.length < length) scratch = new Uint16Array(Math.max(length, Math.min(scratch.length * 2, 1 << 22)));
  const units = scratch;
  for (let i = 0; i < length; i++) units[i] = text.charCodeAt(i);
  return { text, units };
}

/** The code point that starts at a unit; the text is well-formed, so a high surrogate has its low one. */
export function codePointAt(units: Uint16Array, at: number): number {
  const unit = units[at];
  return unit >= 0xd800 && unit < 0xdc00 ? 0x10000 + ((unit - 0xd800) << 10) + (units[at + 1] - 0xdc00) : unit;
}
