export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for a JSON object, false for arrays, null and all else. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Parses JSON as Python writes it: its `json` module also writes `NaN` and `Infinity`, which published configs hold.
 * `Infinity` is kept; `NaN` becomes null, since no field means anything by it. Throws a SyntaxError.
 */
export function parseJson(text: string): Json {
  const plain = text.startsWith("\uFEFF") ? text.slice(1) : text;
  try {
    return JSON.parse(plain);
  } catch (error) {
    const strict = withoutNonFinite(plain);
    if (strict === plain) throw error;
    return JSON.parse(strict);
  }
}

const NON_FINITE: Readonly<Record<string, string>> = { NaN: "null", Infinity: "1e999", "-Infinity": "-1e999" };

/**
 * `text` with those words replaced, except inside strings. Strings are stepped over by hand: an expression for them looks for the
 * end of a broken one again and again, and runs out of stack in a long one.
 */
function withoutNonFinite(text: string): string {
  const token = /"|-?\bInfinity\b|\bNaN\b/g;
  let strict = "";
  let copied = 0;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    if (match[0] === '"') {
      token.lastIndex = stringEnd(text, match.index);
      continue;
    }
    strict += text.slice(copied, match.index) + NON_FINITE[match[0]];
    copied = token.lastIndex;
  }
  return strict + text.slice(copied);
}

/**
 * The first key that an object at nesting `level` has twice, or undefined; 1 is the outermost. `JSON.parse` silently keeps the
 * last of two, and for a list of tensors that is damage that must not pass. `text` is JSON that parsed.
 */
export function duplicateKey(text: string, level = 1): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  let i = 0;
  while (i < text.length) {
    const char = text.charCodeAt(i);
    if (char === 0x22) {
      const end = stringEnd(text, i);
      if (depth === level && followedByColon(text, end)) {
        const key: string = JSON.parse(text.slice(i, end));
        if (seen.has(key)) return key;
        seen.add(key);
      }
      i = end;
      continue;
    }
    if (char === 0x7b || char === 0x5b) {
      if (++depth === level) seen.clear();
    } else if (char === 0x7d || char === 0x5d) depth--;
    i++;
  }
  return undefined;
}

/** The index after the closing quote of the string that starts at `start`. */
function stringEnd(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text.charCodeAt(i) !== 0x22) i += text.charCodeAt(i) === 0x5c ? 2 : 1;
  return i + 1;
}

function followedByColon(text: string, at: number): boolean {
  let i = at;
  while (i < text.length && text.charCodeAt(i) <= 0x20) i++;
  return text.charCodeAt(i) === 0x3a;
}
