import { type Edit, prefixEdit } from "../text/aligned.ts";
import { borrowUnits } from "../text/units.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { type Utf8, utf8OfUnits } from "../text/utf8-units.ts";
import type { Charsmap } from "./charsmap.ts";
import type { Normalizer } from "./normalizer.ts";

export interface SentencePieceNormal {
  readonly charsmap: Charsmap | undefined;
  /** Takes out spaces at both ends, and all but one of several. */
  readonly removeExtraSpaces: boolean;
  /** Spaces become ▁. */
  readonly escapeSpaces: boolean;
  /** The user-defined symbol at a position of the text, if there is one; it stays as it is. */
  symbolAt(text: string, at: number): string | undefined;
}

/** SentencePiece's own normalisation, but for the space before the first word. */
export function sentencePieceNormalizer(options: SentencePieceNormal): Normalizer {
  const { charsmap, removeExtraSpaces, escapeSpaces } = options;
  if (charsmap === undefined && !removeExtraSpaces)
    return {
      apply: (text) => (escapeSpaces ? text.replaceAll(" ", "▁") : text),
      edits: (text) => (escapeSpaces ? spaceEdits(text) : []),
    };
  return { edits: (text) => rewrite(text, options) };
}

function spaceEdits(text: string): Edit[] {
  const edits: Edit[] = [];
  for (let at = text.indexOf(" "); at >= 0; at = text.indexOf(" ", at + 1))
    edits.push({ start: at, end: at + 1, text: "▁" });
  return edits;
}

function rewrite(text: string, options: SentencePieceNormal): Edit[] {
  const { charsmap, removeExtraSpaces, escapeSpaces } = options;
  const edits: Edit[] = [];
  const space = escapeSpaces ? "▁" : " ";
  let afterSpace = removeExtraSpaces;
  const source = charsmap === undefined ? undefined : mapped(text, charsmap);
  let trailing = 0; // how many of the last edits are spaces at the text's end
  for (let at = 0; at < text.length; ) {
    const symbol = options.symbolAt(text, at);
    const read = symbol === undefined ? nextPart(text, at, source) : { length: symbol.length, text: symbol };
    let part = read.text;
    if (afterSpace && part.startsWith(" ")) part = part.replace(/^ +/, "");
    if (part !== "") afterSpace = removeExtraSpaces && part.endsWith(" ");
    const written = part.includes(" ") ? part.replaceAll(" ", space) : part;
    const end = at + read.length;
    if (written === "") dropTo(edits, at, end);
    else if ((removeExtraSpaces && afterSpace) || written !== read.text || !isSame(text, at, read))
      edits.push({ start: at, end, text: written });
    if (part !== "") trailing = part.endsWith(" ") ? edits.length : 0;
    at = end;
  }
  // At most one space is left at the end: the last edit that wrote something.
  if (removeExtraSpaces && trailing > 0) {
    const last = edits[trailing - 1];
    edits[trailing - 1] = { ...last, text: last.text.slice(0, last.text.length - space.length) };
  }
  return edits;
}

interface Part {
  readonly length: number;
  readonly text: string;
}

function isSame(text: string, at: number, part: Part): boolean {
  return part.text.length === part.length && text.startsWith(part.text, at);
}

/** Takes text out; a run of spaces is one edit. */
function dropTo(edits: Edit[], start: number, end: number): void {
  const last = edits.at(-1);
  if (last !== undefined && last.text === "" && last.end === start)
    edits[edits.length - 1] = { start: last.start, end, text: "" };
  else edits.push({ start, end, text: "" });
}

interface Mapped {
  readonly charsmap: Charsmap;
  readonly utf8: Utf8;
  /** The byte that each unit's character starts at. */
  readonly byteAt: Int32Array;
}

function mapped(text: string, charsmap: Charsmap): Mapped {
  const utf8 = utf8OfUnits(borrowUnits(text).units, 0, text.length, true);
  const byteAt = new Int32Array(text.length);
  for (let byte = utf8.length - 1; byte >= 0; byte--) byteAt[utf8.starts![byte]] = byte;
  return { charsmap, utf8, byteAt };
}

function nextPart(text: string, at: number, source: Mapped | undefined): Part {
  if (source !== undefined) {
    const { charsmap, utf8, byteAt } = source;
    const found = charsmap.longest(utf8.bytes, byteAt[at], utf8.length);
    if (found !== undefined)
      return { length: utf8.ends![byteAt[at] + found.length - 1] - at, text: decodeUtf8(found.replacement) };
  }
  const code = text.codePointAt(at)!;
  return { length: code > 0xffff ? 2 : 1, text: String.fromCodePoint(code) };
}

/** SentencePiece's space before the first word: always there, even before another one. */
export function dummyPrefix(mark: string): Normalizer {
  return {
    prefixes: true,
    apply: (text) => (text === "" ? "" : mark + text),
    edits: (text) => (text === "" ? [] : [prefixEdit(text, mark)]),
  };
}

/** The same behind the last word, for models that keep spaces at the end of words. */
export function dummySuffix(mark: string): Normalizer {
  return {
    edits: (text) => (text === "" ? [] : [{ start: text.length, end: text.length, text: mark }]),
  };
}
