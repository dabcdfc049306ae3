import { expect, it } from "vitest";
import { createTokenizer } from "./create.ts";
import { goldenFiles } from "./testing/golden.ts";

// The ids and texts are those of Python's AutoTokenizer (transformers 5.23) for the same two files.

const golden = goldenFiles("bpe_gpt2", (file) => file === "tokenizer.json");
const published = JSON.parse(new TextDecoder().decode(golden["tokenizer.json"] as Uint8Array));
const id = 560;
const plain = {
  content: "<|end|>",
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
};

function tokenizer(own: Partial<typeof plain>, config: object) {
  const tokens = [...published.added_tokens, { id, ...plain, ...own }];
  return createTokenizer({
    "tokenizer.json": JSON.stringify({ ...published, added_tokens: tokens }),
    "tokenizer_config.json": JSON.stringify(config),
  });
}
const declared = (flags: Partial<typeof plain>, at = id) => ({
  added_tokens_decoder: { [at]: { ...plain, ...flags } },
});

it.each([
  ["nothing", {}, {}, "a<|end|>\n b", [65, id, 199, 289], "a\n b"],
  ["what to take along", {}, declared({ rstrip: true }), "a<|end|>\n b", [65, id, 66], "ab"],
  ["another id, which doesn't count", {}, declared({ rstrip: true }, 565), "a<|end|>\n b", [65, id, 66], "ab"],
  [
    "that it stands alone",
    {},
    declared({ single_word: true, lstrip: true }),
    "a<|end|>b <|end|> c",
    [65, 28, 92, 288, 68, 92, 30, 66, id, 278],
    "a<|end|>b c",
  ],
  ["that it isn't special", {}, declared({ special: false }), "a<|end|>\n b", [65, id, 199, 289], "a\n b"],
  ["that it is", { special: false }, declared({}), "a<|end|>\n b", [65, id, 199, 289], "a\n b"],
  ["its name", { special: false }, { eos_token: "<|end|>" }, "a<|end|>\n b", [65, id, 199, 289], "a\n b"],
])("a token that tokenizer.json has is found as the config beside it says: %s", (_, own, config, text, ids, shown) => {
  const made = tokenizer(own, config);
  expect([...made.encode(text, { addSpecialTokens: false })]).toEqual(ids);
  expect(made.decode(ids, { skipSpecialTokens: true })).toBe(shown);
  expect(made.vocabSize).toBe(id + 1);
});
