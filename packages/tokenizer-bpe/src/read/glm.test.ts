import { describe, expect, it } from "vitest";
import { createTokenizer } from "../create.ts";
import { goldenFiles, readGolden } from "../testing/golden.ts";

// The tokenizer classes of ChatGLM 2, 3 and GLM-4 add what their files don't say.

const json = (value: object) => JSON.stringify(value);

describe("ChatGLMTokenizer", () => {
  const files = goldenFiles("spm_llama2", (file) => file === "tokenizer.model");
  const { cases, vocab_size: size } = readGolden("spm_llama2", "golden.spm.json");
  const first = size!;
  const config = { tokenizer_class: "ChatGLMTokenizer", remove_space: false };
  const second = createTokenizer({ ...files, "tokenizer_config.json": json(config) });
  const third = createTokenizer({
    ...files,
    "tokenizer_config.json": json(config),
    "config.json": json({ model_type: "chatglm", _name_or_path: "THUDM/chatglm3-6b" }),
  });

  it("begins every text with [gMASK] and sop, whose ids come after SentencePiece's", () => {
    for (const { text, ids } of cases)
      expect([...second.encode(text, { parseSpecial: false })], text).toEqual([first + 1, first + 3, ...ids]);
    expect([...second.encode("", { addSpecialTokens: false })]).toEqual([]);
    expect(second.bosTokenId).toBeUndefined();
  });

  it("finds its tokens where a template writes them, and not in words", () => {
    const plain = (text: string) => [...second.encode(text, { addSpecialTokens: false })];
    expect(plain("[gMASK]sop[Round")).toEqual([first + 1, first + 3, ...plain("[Round")]);
    for (const word of ["sophisticated", "aesop", "sleeping people"])
      expect(plain(word)).toEqual([...second.encode(word, { addSpecialTokens: false, parseSpecial: false })]);
    expect(second.decode(second.encode("a b"), { skipSpecialTokens: true })).toBe("a b");
  });

  it("has tokens for roles from the third model on", () => {
    expect(second.vocabSize).toBe(first + 5);
    expect(third.vocabSize).toBe(first + 9);
    expect(third.encode("<|user|>", { addSpecialTokens: false })).toEqual(Int32Array.of(first + 6));
    expect(second.encode("<|user|>", { addSpecialTokens: false }).length).toBeGreaterThan(1);
    const named = { ...config, added_tokens_decoder: { [first + 6]: { content: "<|user|>", special: false } } };
    expect(createTokenizer({ ...files, "tokenizer_config.json": json(named) }).vocabSize).toBe(first + 9);
  });

  it("speaks each model's way where no template says how", () => {
    const turns = [
      { role: "user", content: "Q" },
      { role: "assistant", content: "A" },
      { role: "user", content: "R" },
    ];
    expect(second.applyChatTemplate(turns, { addGenerationPrompt: true })).toBe(
      "[gMASK]sop[Round 1]\n\n问：Q\n\n答：A\n\n[Round 2]\n\n问：R\n\n答：",
    );
    expect(third.applyChatTemplate(turns, { addGenerationPrompt: true })).toBe(
      "[gMASK]sop<|user|>\n Q<|assistant|>\n A<|user|>\n R<|assistant|>",
    );
  });
});

describe("a rank file under the name of tokenizer.model", () => {
  const tokens = [...Array.from({ length: 256 }, (_, byte) => Buffer.of(byte)), Buffer.from("hi"), Buffer.from("12")];
  const ranks = tokens.map((bytes, rank) => `${bytes.toString("base64")} ${rank}\n`).join("");
  const size = tokens.length;
  const published = Object.fromEntries(
    ["<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<|system|>", "<|user|>"].map((content, i) => [
      size + i,
      { content, special: true, lstrip: false, rstrip: false, normalized: false, single_word: false },
    ]),
  );
  const open = (config: object) => createTokenizer({ "tokenizer.model": ranks, "tokenizer_config.json": json(config) });

  it.each([{}, { added_tokens_decoder: published, eos_token: "<|endoftext|>" }])(
    "is GLM-4's by its class (%#)",
    (more) => {
      const tokenizer = open({ tokenizer_class: "ChatGLM4Tokenizer", ...more });
      expect([...tokenizer.encode("hi<|user|>")]).toEqual([size + 2, size + 4, 256, size + 7]);
      expect(tokenizer.eosTokenId).toBe(size);
      expect(tokenizer.encode("<|begin_of_text|>", { addSpecialTokens: false }).length).toBeGreaterThan(5);
      expect(tokenizer.applyChatTemplate([{ role: "user", content: "hi" }], { addGenerationPrompt: true })).toBe(
        "[gMASK]<sop><|user|>\nhi<|assistant|>",
      );
    },
  );

  it("is Llama 3's with the tokens of its code, unless a file lists others", () => {
    expect([...open({}).encode("<|begin_of_text|>hi")]).toEqual([size, 256]);
    const listed = open({ added_tokens_decoder: { [size]: { content: "<|start|>", special: true } } });
    expect([...listed.encode("<|start|>hi")]).toEqual([size, 256]);
    expect(listed.vocabSize).toBe(size + 1);
  });
});
