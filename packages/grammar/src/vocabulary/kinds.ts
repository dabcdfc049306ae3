export const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/**
 * Kinds of bytes that grammars seldom tell apart within: a token's are a bit set, so that one comparison says whether all of it
 * goes on as it began.
 */
const KINDS: readonly string[] = [
  " ",
  "0123456789",
  LETTERS,
  "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  "_-",
  '"',
  "\\",
  "<",
  "[",
  "\n",
  "\t\r",
  "'`",
];
/** All other characters of ASCII that print. */
const OTHERS = 1 << KINDS.length;
/** All of ASCII that doesn't. */
const CONTROLS = OTHERS << 1;
/** Characters beyond ASCII, whole or begun. */
export const BEYOND = CONTROLS << 1;
/** Bytes that no text begins with. */
const BROKEN = BEYOND << 1;

const KIND_OF: Uint16Array = Uint16Array.from({ length: 128 }, (_, byte) => {
  const kind = KINDS.findIndex((letters) => letters.includes(String.fromCharCode(byte)));
  if (kind >= 0) return 1 << kind;
  return byte < 0x20 ? CONTROLS : OTHERS;
});

/** The kinds of ASCII all of whose bytes pass. */
export function kindsWhere(passes: (byte: number) => boolean): number {
  let failed = 0;
  for (let byte = 0; byte < 128; byte++) if (!passes(byte)) failed |= KIND_OF[byte]!;
  return (BEYOND - 1) & ~failed;
}

/** The kinds of a token's bytes. */
export function kindsOf(bytes: Uint8Array): number {
  let kinds = 0;
  let at: Utf8State = WHOLE;
  for (const byte of bytes) {
    const next: Utf8State | undefined = utf8Step(at, byte);
    if (next === undefined) return BROKEN;
    kinds |= byte < 0x80 ? KIND_OF[byte]! : BEYOND;
    at = next;
  }
  return kinds;
}

/** How many characters begin in a token. */
export function charactersIn(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) count++;
  return Math.max(1, count);
}

/** Where one stands within a character: the bytes that may come, and how many after them. */
interface Utf8State {
  readonly lo: number;
  readonly hi: number;
  readonly left: number;
}

/** Between characters. */
export const WHOLE: Utf8State = { lo: 0, hi: 0xf4, left: 0 };
const inside = (left: number, lo = 0x80, hi = 0xbf): Utf8State => ({ lo, hi, left });
const INSIDE: readonly Utf8State[] = [WHOLE, inside(1), inside(2)];
const LEADS: Readonly<Record<number, Utf8State>> = {
  224: inside(2, 0xa0),
  237: inside(2, 0x80, 0x9f),
  240: inside(3, 0x90),
  244: inside(3, 0x80, 0x8f),
};
const THREE = inside(3);

/** The state after a byte, or undefined where UTF-8 has no such byte. */
export function utf8Step(at: Utf8State, byte: number): Utf8State | undefined {
  if (byte < at.lo || byte > at.hi) return undefined;
  if (at.left > 0) return INSIDE[at.left - 1];
  if (byte < 0x80) return WHOLE;
  if (byte < 0xc2) return undefined;
  return LEADS[byte] ?? (byte < 0xe0 ? INSIDE[1] : byte < 0xf0 ? INSIDE[2] : THREE);
}
