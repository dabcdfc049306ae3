import { describe, expect, it } from "vitest";
import { createTokenizer } from "./create.ts";
import { byteToChar } from "./text/byte-alphabet.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Every byte, and a family's tokens after them. */
function byteLevel(special: readonly string[], normalizer: object | null = null): Tokenizer {
  const vocab = Object.fromEntries(byteToChar.map((char, id) => [char, id]));
  const added_tokens = special.map((content, i) => ({ id: 256 + i, content, special: true, normalized: false }));
  const tokenizer = {
    normalizer,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab, merges: [] },
    added_tokens,
  };
  return createTokenizer({ "tokenizer.json": Buffer.from(JSON.stringify(tokenizer)) });
}

// As each family's model card or paper writes a prompt.
const families = [
  [
    "starcoder",
    ["<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>"],
    "<fim_prefix>A<fim_suffix>B<fim_middle>",
  ],
  [
    "santacoder",
    ["<fim-prefix>", "<fim-middle>", "<fim-suffix>", "<fim-pad>"],
    "<fim-prefix>A<fim-suffix>B<fim-middle>",
  ],
  [
    "deepseek-coder",
    ["<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>"],
    "<｜fim▁begin｜>A<｜fim▁hole｜>B<｜fim▁end｜>",
  ],
  [
    "qwen-coder",
    ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"],
    "<|fim_prefix|>A<|fim_suffix|>B<|fim_middle|>",
  ],
  ["codestral", ["[SUFFIX]", "[PREFIX]", "[MIDDLE]"], "[SUFFIX]B[PREFIX]A"],
  [
    "codegemma",
    ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|file_separator|>"],
    "<|fim_prefix|>A<|fim_suffix|>B<|fim_middle|>",
  ],
  [
    "codegen",
    ["<mask_1>", "<sep>", "<eom>", "<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>"],
    "A<mask_1>B<|endoftext|><sep><mask_1>",
  ],
] as const;

describe.each(families)("%s", (family, special, prompt) => {
  const tokenizer = byteLevel(special);

  it("is found from its tokens and writes prompts as published", () => {
    expect(tokenizer.infill?.family).toBe(family);
    expect(tokenizer.decode(tokenizer.encodeInfill({ prefix: "A", suffix: "B" }))).toBe(prompt);
    const ending = special.filter((token) => family !== "codegen" || !/fim|endoftext/.test(token));
    expect(tokenizer.infillEnds.toSorted()).toEqual(ending.map((_, i) => 256 + i));
  });

  it("keeps its tokens in the user's text as text", () => {
    const [mark] = special;
    const ids = tokenizer.encodeInfill({ prefix: mark, suffix: mark });
    const marks = { codestral: 2, codegen: 4 }[family as string] ?? 3;
    expect([...ids].filter((id) => id >= 256)).toHaveLength(marks);
    expect(tokenizer.decode(ids)).toBe(prompt.replace("A", mark).replace("B", mark));
  });
});

it("has one order where no token says where the answer begins", () => {
  const tokenizer = byteLevel(["[SUFFIX]", "[PREFIX]", "[MIDDLE]"]);
  expect(() => tokenizer.encodeInfill({ prefix: "A", suffix: "B", order: "psm" })).toThrow('by order "spm" alone');
  const masks = byteLevel(["<mask_1>", "<sep>", "<eom>", "<|endoftext|>"]);
  expect(() => masks.encodeInfill({ prefix: "A", suffix: "B", order: "spm" })).toThrow('by order "psm" alone');
});

describe("codellama", () => {
  const special = ["<unk>", "<s>", "</s>"];
  const marks = ["▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>"];
  const words = ["▁", "a", "b", "▁a", "▁b"];
  const tokenizer = createTokenizer({
    "tokenizer.json": Buffer.from(
      JSON.stringify({
        normalizer: {
          type: "Sequence",
          normalizers: [
            { type: "Prepend", prepend: "▁" },
            { type: "Replace", pattern: { String: " " }, content: "▁" },
          ],
        },
        post_processor: {
          type: "TemplateProcessing",
          single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
          pair: [],
          special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
        },
        model: {
          type: "BPE",
          unk_token: "<unk>",
          vocab: Object.fromEntries([...special, ...words, ...marks].map((token, id) => [token, id])),
          merges: ["▁ a", "▁ b"],
        },
        added_tokens: [...special, ...marks].map((content) => ({
          id: [...special, ...words, ...marks].indexOf(content),
          content,
          special: true,
          normalized: false,
        })),
      }),
    ),
  });
  const tokens = (ids: Iterable<number>) => [...ids].map((id) => tokenizer.idToToken(id));

  it("has no space before a suffix, and the text's beginning before it all", () => {
    expect(tokenizer.infill?.family).toBe("codellama");
    expect(tokens(tokenizer.infillEnds)).toEqual(["▁<EOT>", "▁<PRE>", "▁<SUF>", "▁<MID>"]);
    expect(tokens(tokenizer.encodeInfill({ prefix: "a", suffix: "b" }))).toEqual([
      "<s>",
      "▁<PRE>",
      "▁a",
      "▁<SUF>",
      "b",
      "▁<MID>",
    ]);
  });

  it("puts the suffix first where that is asked for", () => {
    const ids = tokenizer.encodeInfill({ prefix: "a", suffix: "b", order: "spm", addSpecialTokens: false });
    expect(tokens(ids)).toEqual(["▁<PRE>", "▁<SUF>", "b", "▁<MID>", "▁a"]);
  });
});
