import type { Edit } from "../text/aligned.ts";
import type { Normalizer } from "./normalizer.ts";
import { charEdits, lowercase, stripNonspacing, unicodeForm } from "./unicode.ts";

const removed = /[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}]/u;
const whiteSpace = /\p{White_Space}/u;
const chinese =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u;

export interface BertOptions {
  readonly cleanText: boolean;
  readonly handleChineseChars: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

/** BERT's normaliser, as the steps it consists of. */
export function bertSteps(options: BertOptions): Normalizer[] {
  const steps: Normalizer[] = [];
  if (options.cleanText) steps.push({ edits: cleanText });
  if (options.handleChineseChars)
    steps.push({ edits: (text) => charEdits(text, (char) => (chinese.test(char) ? ` ${char} ` : char)) });
  if (options.stripAccents) steps.push(unicodeForm("NFD"), stripNonspacing);
  if (options.lowercase) steps.push(lowercase);
  return steps;
}

function cleanText(text: string): Edit[] {
  return charEdits(text, (char) => (removed.test(char) ? "" : whiteSpace.test(char) ? " " : char));
}
