import { createTokenizer, type Tokenizer } from "@llm/tokenizer-bpe";
import { describe, expect, it } from "vitest";
import { TextOffsets } from "./text-offsets.ts";

/** As Llama 2's: a text begins with a blank that it hasn't, and is decoded without it. */
function blankFirst(): Tokenizer {
  const metaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true };
  const pieces = ["<unk>", "<s>", "▁ab", "▁", "c", "ab"];
  const added = { id: 1, content: "<s>", special: true, single_word: false, lstrip: false, rstrip: false };
  const model = { type: "Unigram", unk_id: 0, vocab: pieces.map((piece, i) => [piece, -1 - i / 10]) };
  const added_tokens = [{ ...added, normalized: false }];
  const json = { version: "1.0", added_tokens, pre_tokenizer: metaspace, decoder: metaspace, model };
  return createTokenizer({ "tokenizer.json": JSON.stringify(json) });
}

const identified = (ids: readonly number[]) => ids.map((id) => ({ id }));

describe("offsets", () => {
  it("don't count the blank that is no part of a text, before its first token or within it", () => {
    const tokenizer = blankFirst();
    const ids = [1, 2, 4, 2, 4]; // <s> ▁ab c ▁ab c
    expect(tokenizer.decode(ids.slice(1))).toBe("abc abc");
    expect(new TextOffsets(tokenizer, "", true).ofPrompt(identified(ids), "abc abc")).toEqual([0, 0, 2, 3, 6]);
    expect(new TextOffsets(tokenizer, "", true).ofPrompt(identified([3, 5]), "ab")).toEqual([0, 0]);
  });

  it("count the blank that an answer goes on with", () => {
    const tokenizer = blankFirst();
    const offsets = new TextOffsets(tokenizer, "", true);
    offsets.ofPrompt(identified([2, 4]), "abc");
    expect([...offsets.ofAnswer(identified([2])), ...offsets.ofAnswer(identified([4, 2, 4]))]).toEqual([3, 6, 7, 10]);
    expect(new TextOffsets(tokenizer, "abc", true).ofAnswer(identified([2, 4]))).toEqual([3, 6]);
  });
});
