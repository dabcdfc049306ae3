import { invalid } from "../error.ts";

/**
 * Finding one's way through JSON text without building what it says: the large parts of a tokenizer.json (vocabulary, merges)
 * go straight into typed arrays, and only the small rest through JSON.parse.
 */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

export interface Range {
  readonly start: number;
  readonly end: number;
}

export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

/** The position after a string that starts at a quote. */
export function skipString(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  for (;;) {
    const byte = bytes[at++];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
    else if (byte === undefined) throw invalid("is not valid JSON: it ends inside a string");
  }
}

/** The position after any value; brackets are counted, not matched by kind, which JSON.parse does for what is kept. */
export function skipValue(bytes: Uint8Array, from: number): number {
  let at = skipSpace(bytes, from);
  let depth = 0;
  do {
    const byte = bytes[at];
    if (byte === undefined) throw invalid("is not valid JSON: it ends inside a value");
    if (byte === QUOTE) at = skipString(bytes, at);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
      at++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      at++;
    } else if (depth > 0) at++;
    else at = skipScalar(bytes, at);
  } while (depth > 0);
  return at;
}

function skipScalar(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && !endsScalar(bytes[at])) at++;
  if (at === from) throw invalid(`is not valid JSON: no value at byte ${from}`);
  return at;
}

function endsScalar(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte <= 0x20;
}

/** Where a member's value lies; with its own members where they were asked for, so that nothing is walked twice. */
export interface Member extends Range {
  readonly members?: ReadonlyMap<string, Member>;
}

/** The members of the object at a position, and those of the objects named in `descend`. */
export function membersOf(bytes: Uint8Array, from: number, descend: readonly string[] = []): Map<string, Member> {
  return walkMembers(bytes, from, descend).members;
}

function walkMembers(bytes: Uint8Array, from: number, descend: readonly string[]) {
  const members = new Map<string, Member>();
  const end = eachElement(bytes, from, OPEN_BRACE, CLOSE_BRACE, (at) => {
    if (bytes[at] !== QUOTE) throw invalid(`is not valid JSON: no member name at byte ${at}`);
    const keyEnd = skipString(bytes, at);
    const key = keyOf(bytes, at, keyEnd);
    const colon = skipSpace(bytes, keyEnd);
    if (bytes[colon] !== COLON) throw invalid(`is not valid JSON: no ":" at byte ${colon}`);
    const start = skipSpace(bytes, colon + 1);
    if (descend.includes(key) && bytes[start] === OPEN_BRACE) {
      const inner = walkMembers(bytes, start, []);
      members.set(key, { start, end: inner.end, members: inner.members });
      return inner.end;
    }
    const valueEnd = skipValue(bytes, start);
    members.set(key, { start, end: valueEnd });
    return valueEnd;
  });
  return { members, end };
}

const decoder = new TextDecoder();

function keyOf(bytes: Uint8Array, start: number, end: number): string {
  try {
    return JSON.parse(decoder.decode(bytes.subarray(start, end)));
  } catch (error) {
    throw invalid(`has a damaged member name at byte ${start}`, error);
  }
}

/** Calls `read` at the start of each element of the array at a position; `read` returns the position after it. */
export function eachItem(bytes: Uint8Array, from: number, read: (at: number) => number): void {
  eachElement(bytes, from, OPEN_BRACKET, CLOSE_BRACKET, read);
}

/** Calls `read` at the opening quote of each member's name of the object at a position. */
export function eachMember(bytes: Uint8Array, from: number, read: (at: number) => number): void {
  eachElement(bytes, from, OPEN_BRACE, CLOSE_BRACE, read);
}

/** Returns the position after the closing bracket. */
function eachElement(
  bytes: Uint8Array,
  from: number,
  open: number,
  close: number,
  read: (at: number) => number,
): number {
  let at = skipSpace(bytes, from);
  if (bytes[at] !== open) throw invalid(`has no "${String.fromCharCode(open)}" at byte ${at}`);
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === close) return at + 1;
  for (;;) {
    at = skipSpace(bytes, read(at));
    if (bytes[at] === close) return at + 1;
    if (bytes[at] !== COMMA) throw invalid(`is not valid JSON: no "," at byte ${at}`);
    at = skipSpace(bytes, at + 1);
  }
}

/** A number, and the position after it. Filled anew by each call, since a vocabulary has 150,000 of them. */
export interface ReadInteger {
  value: number;
  end: number;
}

/** Reads the whole number at a position. */
export function readInteger(bytes: Uint8Array, from: number, into: ReadInteger): void {
  let at = from;
  let value = 0;
  while (bytes[at] >= 0x30 && bytes[at] <= 0x39 && at - from < 15) value = value * 10 + bytes[at++] - 0x30;
  if (at === from || !(at >= bytes.length || endsScalar(bytes[at])))
    throw invalid(`has no whole number at byte ${from}`);
  into.value = value;
  into.end = at;
}
