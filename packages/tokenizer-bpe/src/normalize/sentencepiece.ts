import type { Edit } from "../text/aligned.ts";
import { decodeUtf8, encodeUtf8 } from "../text/utf8.ts";
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

/** The longest entry of the published maps covers some 18 bytes; looking further ahead than this finds nothing. */
const LOOK_AHEAD = 64;

function rewrite(text: string, options: SentencePieceNormal): Edit[] {
  const { charsmap, removeExtraSpaces, escapeSpaces } = options;
  const edits: Edit[] = [];
  const space = escapeSpaces ? "▁" : " ";
  let afterSpace = removeExtraSpaces;
  let trailing = 0; // how many of the last edits are spaces at the text's end
  for (let at = 0; at < text.length; ) {
    const symbol = options.symbolAt(text, at);
    const read = symbol === undefined ? nextPart(text, at, charsmap) : { length: symbol.length, text: symbol };
    let part = read.text;
    if (afterSpace) part = part.replace(/^ +/, "");
    if (part !== "") afterSpace = removeExtraSpaces && part.endsWith(" ");
    const written = part.replaceAll(" ", space);
    const end = at + read.length;
    if (written !== text.slice(at, end)) edits.push({ start: at, end, text: written });
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

function nextPart(text: string, at: number, charsmap: Charsmap | undefined): { length: number; text: string } {
  const char = String.fromCodePoint(text.codePointAt(at)!);
  if (charsmap === undefined) return { length: char.length, text: char };
  const ahead = encodeUtf8(text.slice(at, at + LOOK_AHEAD));
  const found = charsmap.longest(ahead, 0, ahead.length);
  if (found === undefined) return { length: char.length, text: char };
  return { length: decodeUtf8(ahead.subarray(0, found.length)).length, text: decodeUtf8(found.replacement) };
}

/** SentencePiece's space before the first word: always there, even before another one. */
export function dummyPrefix(mark: string): Normalizer {
  return {
    prefixes: true,
    apply: (text) => (text === "" ? "" : mark + text),
    edits: (text) => (text === "" ? [] : [{ start: 0, end: 0, text: mark }]),
  };
}

/** The same behind the last word, for models that keep spaces at the end of words. */
export function dummySuffix(mark: string): Normalizer {
  return {
    edits: (text) => (text === "" ? [] : [{ start: text.length, end: text.length, text: mark }]),
  };
}
