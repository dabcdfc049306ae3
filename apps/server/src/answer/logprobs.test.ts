import type { Tokenizer } from "@llm/tokenizer-bpe";
import { expect, it } from "vitest";
import { tokenLogprobs } from "./logprobs.ts";

it("tell every token's text, also of those that are taken for marks or are half a character", () => {
  const bytes = [[0xef, 0xbb, 0xbf], [0xf0, 0x9f], [97]];
  const tokenizer = { tokenBytes: (id: number) => Uint8Array.from(bytes[id]!) } as Tokenizer;
  const tokens = [0, 1, 2].map((id) => ({ id, logprob: -id, top: [{ id, logprob: -id }] }));
  expect(tokenLogprobs(tokenizer, tokens).map(({ token, top }) => [token, top[0]!.token])).toEqual(
    ["\ufeff", "\ufffd", "a"].map((text) => [text, text]),
  );
});
