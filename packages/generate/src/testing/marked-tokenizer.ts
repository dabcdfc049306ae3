import type { TextStream, TextTokenizer } from "../text/tokenizer.ts";
import { byteTokenizer, END } from "./byte-tokenizer.ts";

const CONTROL = ["[THINK]", "[/THINK]", "[TOOL_CALLS]", "[ARGS]", "<pad>"];
const nameOf = (id: number): string | undefined => CONTROL[id - END - 1];

export const MARKED_VOCAB = END + 1 + CONTROL.length;

/** Bytes, and control tokens for the marks of an answer: how Mistral's vocabularies have them. */
export const markedTokenizer: TextTokenizer = {
  ...byteTokenizer,
  stream({ skipSpecialTokens = true } = {}): TextStream {
    const bytes = byteTokenizer.stream();
    return {
      push: (id) => (id <= END ? bytes.push(id) : skipSpecialTokens ? "" : bytes.end() + nameOf(id)),
      end: () => bytes.end(),
    };
  },
  tokenBytes: (id) => {
    const name = nameOf(id);
    return name === undefined ? Uint8Array.of(id) : new TextEncoder().encode(name);
  },
  isSpecial: (id) => id >= END,
  tokenToId: (token) => (CONTROL.includes(token) ? END + 1 + CONTROL.indexOf(token) : undefined),
  chatTemplateSource: "… [THINK] … [/THINK] … [TOOL_CALLS] … [ARGS] …",
};
