import type { Edit } from "../text/aligned.ts";
import type { Normalizer } from "./normalizer.ts";

type Form = "NFC" | "NFD" | "NFKC" | "NFKD";

/**
 * Characters that may combine with what stands before them: marks, the vowels and finals of Hangul, the halfwidth voicing
 * marks. A text can be normalised piece by piece if no piece begins with one.
 */
const joining = /[\p{M}\u1160-\u11ff\ud7b0-\ud7fb\uff9e\uff9f]/u;

/** The Unicode normal forms. */
export function unicodeForm(form: Form): Normalizer {
  return { apply: (text) => text.normalize(form), edits: (text) => formEdits(text, form) };
}

function formEdits(text: string, form: Form): Edit[] {
  if (text.normalize(form) === text) return [];
  const edits: Edit[] = [];
  let from = 0;
  const close = (end: number) => {
    const piece = text.slice(from, end);
    const normal = piece.normalize(form);
    if (normal !== piece) edits.push({ start: from, end, text: normal });
    from = end;
  };
  let at = 0;
  for (const char of text) {
    if (at > from && !joining.test(char)) close(at);
    at += char.length;
  }
  if (at > from) close(at);
  return edits;
}

/** An edit for every character that a function changes. */
export function charEdits(text: string, change: (char: string) => string): Edit[] {
  const edits: Edit[] = [];
  let at = 0;
  for (const char of text) {
    const changed = change(char);
    if (changed !== char) edits.push({ start: at, end: at + char.length, text: changed });
    at += char.length;
  }
  return edits;
}

/** Each character in lower case by itself, without the rule for a final sigma. */
export const lowercase: Normalizer = { edits: (text) => charEdits(text, (char) => char.toLowerCase()) };

/** Takes out combining marks; accents only show as such after NFD. */
export const stripAccents: Normalizer = without(/\p{M}/u);

/** The same for BERT, which leaves the marks that take room of their own, such as the vowels of Indian scripts. */
export const stripNonspacing: Normalizer = without(/\p{Mn}/u);

function without(mark: RegExp): Normalizer {
  return { edits: (text) => charEdits(text, (char) => (mark.test(char) ? "" : char)) };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
const nmtRemoved = /[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the same
const nmtSpaces = /[\x09\x0a\x0c\x0d\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/;

/** What machine translation's tokenizers do with control characters and odd spaces. */
export const nmt: Normalizer = {
  edits: (text) => charEdits(text, (char) => (nmtRemoved.test(char) ? "" : nmtSpaces.test(char) ? " " : char)),
};
