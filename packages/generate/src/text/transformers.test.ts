import { openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { Generator } from "../generator/generator.ts";
import { BYTE_VOCAB, END } from "../testing/byte-tokenizer.ts";
import type { TransformersTokenizer } from "./transformers.ts";

/** As the library's: it decodes what it is given, which must be something. */
const tokenizer: TransformersTokenizer = {
  encode: (text) => [...new TextEncoder().encode(text)],
  decode: (ids) => {
    if (!Array.isArray(ids) || ids.length === 0) throw new Error("token_ids must be a non-empty array of integers.");
    return new TextDecoder().decode(Uint8Array.from(ids.filter((id) => id < 256)));
  },
};

describe("an answer that ends at once", () => {
  it.each([{}, { numBeams: 2 }])("is an empty text with a tokenizer of transformers.js: %o", async (how) => {
    const generator = new Generator({ session: openNull({ vocab: BYTE_VOCAB }), tokenizer });
    const ends = { eosTokenId: END, logitBias: { [END]: 1000 }, maxNewTokens: 4 };
    const { text, tokens, finishReason } = await generator.generate("ab", { ...ends, ...how });
    expect([text, tokens, finishReason]).toEqual(["", [END], "stop"]);
    await generator.close();
  });
});
