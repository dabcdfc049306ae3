import { openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { BYTE_VOCAB, byteTokenizer } from "../testing/byte-tokenizer.ts";
import { Generator } from "./generator.ts";
import type { TransformersOptions } from "./options.ts";

describe("an option of the wrong kind", () => {
  it.each<[TransformersOptions, string]>([
    [{ eosTokenId: "256" }, 'eosTokenId is "256", but must be a token id, or a list of them'],
    [{ eos_token_id: [1.5] }, "eos_token_id is 1.5, but must be a token id, or a list of them"],
    [{ stop: 5 }, "stop is 5, but must be a text, or a list of texts"],
    [{ stop: ["a", 5] }, "stop is a,5, but must be a text, or a list of texts"],
    [{ stopTokens: 5 }, "stopTokens is 5, but must be a list of token ids"],
    [{ badWordsIds: [5, 6] }, "badWordsIds is a list of lists of token ids: [[5, 6], [7]]"],
    [{ suppressTokens: 5 }, "suppressTokens is a list of token ids: [5, 6]"],
    [{ sequenceBias: [[5, -1]] }, "sequenceBias is a list of token ids with a bias: [[[5, 6], -1.5]]"],
    [{ sequenceBias: { 5: -1 } }, "sequenceBias is a list of token ids with a bias: [[[5, 6], -1.5]]"],
    [{ numBeams: 2, lengthPenalty: "x" }, 'lengthPenalty is "x", but must be a number'],
    [{ numBeams: 2, length_penalty: Number.NaN }, "length_penalty is NaN, but must be a number"],
    [{ numBeams: 2, earlyStopping: "yes" }, 'earlyStopping is "yes", but must be true, false or "never"'],
    [{ numBeams: 2, diversityPenalty: "1" }, 'diversityPenalty is "1", but must be a number'],
    [{ numBeams: 0 }, "numBeams is 0, but must be a whole number above 0"],
    [{ inputLen: 0 }, "inputLen is 0, but must be a whole number above 0"],
    [{ regex: 5 }, "regex is 5, but must be an ECMAScript expression: its text, or a RegExp"],
    [{ choice: "yes" }, 'choice is "yes", but must be a list of texts'],
    [{ greedy: "false" }, 'greedy is "false", but must be true or false'],
    [{ ignoreEos: "false" }, 'ignoreEos is "false", but must be true or false'],
    [{ random: 5 }, "random is 5, but must be a random state, such as randomState(7)"],
    [{ signal: 5 }, "signal is 5, but must be an AbortSignal"],
    [{ streamer: () => {} }, "streamer is () => {}, but must be a streamer, with put and end"],
    [{ onToken: "log" }, 'onToken is "log", but must be a function'],
    [{ allow: [5] }, "allow is 5, but must be a function"],
    [{ truncatePrompt: true }, 'truncatePrompt is true, but must be "left" or "middle"'],
  ])("is refused by name: %o", async (options, message) => {
    const generator = new Generator({ session: openNull({ vocab: BYTE_VOCAB }), tokenizer: byteTokenizer });
    expect(() => generator.stream("ab", { maxNewTokens: 3, ...options })).toThrow(
      expect.objectContaining({ code: "option-invalid", message }),
    );
    await generator.close();
  });

  it("isn't what asks for nothing", async () => {
    const generator = new Generator({ session: openNull({ vocab: BYTE_VOCAB }), tokenizer: byteTokenizer });
    const nothing = { eosTokenId: [], stop: [], stopTokens: [], badWordsIds: [], sequenceBias: [], suppressTokens: [] };
    expect((await generator.generate("ab", { ...nothing, eos_token_id: -1, maxNewTokens: 3 })).tokens).toHaveLength(3);
    await generator.close();
  });
});
