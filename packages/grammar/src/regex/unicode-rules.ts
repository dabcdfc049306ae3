/**
 * An expression as the `u` flag's rules have it, where it was written for older or for others: marks are escaped that need not be
 * (`\-`, `\@`), brackets stand for themselves, a class has a dash beside `\w`, Python writes `(?P<name>…)`, `\A` and `\Z`.
 */
export function withUnicodeRules(source: string): string {
  const chars = Array.from(source);
  let result = "";
  for (let at = 0; at < chars.length; ) {
    const [written, length] = chars[at] === "[" ? classAt(chars, at) : outside(chars, at);
    result += written;
    at += length;
  }
  return result;
}

type Piece = readonly [written: string, length: number];

const SYNTAX = "^$\\.*+?()[]{}|/";

function outside(chars: readonly string[], at: number): Piece {
  const char = chars[at]!;
  if (char === "\\") {
    const escaped = chars[at + 1] ?? "";
    if (escaped === "A") return ["^", 2];
    if (escaped === "Z" || escaped === "z") return ["$", 2];
    if (isMark(escaped) && !SYNTAX.includes(escaped)) return [escaped, 2];
    const length = escapeLength(chars, at);
    return [chars.slice(at, at + length).join(""), length];
  }
  if (char === "{") {
    const count = /^\{\d+(?:,\d*)?\}/.exec(chars.slice(at, at + 24).join(""))?.[0];
    return count === undefined ? ["\\{", 1] : [count, count.length];
  }
  if (char === "}" || char === "]") return [`\\${char}`, 1];
  if (char === "(" && chars.slice(at, at + 4).join("") === "(?P<") return ["(?<", 4];
  return [char, 1];
}

/** A class in brackets: a dash beside a set of characters stands for itself. */
function classAt(chars: readonly string[], start: number): Piece {
  let at = start + 1;
  let result = "[";
  if (chars[at] === "^") {
    result += "^";
    at++;
  }
  let before: "set" | "char" | "none" = "none";
  while (at < chars.length && chars[at] !== "]") {
    const char = chars[at]!;
    const next = chars[at + 1];
    if (char === "-" && next !== "]" && before !== "none") {
      const literal = before === "set" || (next === "\\" && isSet(chars[at + 2] ?? ""));
      result += literal ? "\\-" : "-";
      at++;
      before = "none";
      continue;
    }
    if (char !== "\\") {
      result += char;
      at++;
      before = "char";
      continue;
    }
    const escaped = next ?? "";
    const length = escapeLength(chars, at);
    result += isMark(escaped) && !`${SYNTAX}-`.includes(escaped) ? escaped : chars.slice(at, at + length).join("");
    at += length;
    before = isSet(escaped) ? "set" : "char";
  }
  return [at < chars.length ? `${result}]` : result, at - start + 1];
}

/** Characters of an escape, with the brackets that are a part of it. */
function escapeLength(chars: readonly string[], at: number): number {
  const end = "pPu".includes(chars[at + 1] ?? " ") && chars[at + 2] === "{" ? chars.indexOf("}", at) : -1;
  return end < 0 ? Math.min(2, chars.length - at) : end - at + 1;
}

const isSet = (escaped: string): boolean => escaped !== "" && "dDwWsSpP".includes(escaped);

/** Anything in ASCII that is neither letter nor digit. */
const isMark = (char: string): boolean => /^[ -/:-@[-`{-~]$/.test(char);
