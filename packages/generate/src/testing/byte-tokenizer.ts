import type { TextTokenizer } from "../text/tokenizer.ts";

/** One past the bytes: the end of a text. */
export const END = 256;
export const BYTE_VOCAB = 257;

/** A token for each byte, and one for the end: what the null model speaks in tests. */
export const byteTokenizer: TextTokenizer = {
  encode: (text) => new TextEncoder().encode(text),
  decode: (ids) => new TextDecoder().decode(Uint8Array.from(Array.from(ids).filter((id) => id < END))),
  stream() {
    const decoder = new TextDecoder();
    return {
      push: (id) => (id === END ? "" : decoder.decode(Uint8Array.of(id), { stream: true })),
      end: () => decoder.decode(),
    };
  },
  eosTokenId: END,
  tokenBytes: (id) => Uint8Array.of(id),
  isSpecial: (id) => id === END,
  applyChatTemplate: (messages, { addGenerationPrompt = false } = {}) =>
    messages.map(({ role, content }) => `<${role}>${String(content)}`).join("") +
    (addGenerationPrompt ? "<assistant>" : ""),
};
