import { readFileSync } from "node:fs";
import { demoModelFolder } from "@llm/demo-model";
import { describe, expect, it } from "vitest";
import { createTokenizer } from "./create.ts";
import { goldenFiles, goldenNames, readGolden } from "./testing/golden.ts";
import { alphabetBytes } from "./text/byte-alphabet.ts";

const sentencePiece = goldenNames("golden.spm.json");

describe.each(sentencePiece)("%s/tokenizer.model says what SentencePiece says", (name) => {
  const files = goldenFiles(name, (file) => file === "tokenizer.model");
  const tokenizer = createTokenizer(files);
  const golden = readGolden(name, "golden.spm.json");

  it("encodes", () => {
    expect(tokenizer.vocabSize).toBe(golden.vocab_size);
    for (const { text, ids, ids_bos } of golden.cases) {
      expect([...tokenizer.encode(text, { addSpecialTokens: false, parseSpecial: false })], text).toEqual(ids);
      expect([...tokenizer.encode(text, { parseSpecial: false })], text).toEqual(ids_bos);
      expect([...tokenizer.encodeWithOffsets(text, { parseSpecial: false }).ids], `${text}, with offsets`).toEqual(
        ids_bos,
      );
    }
  });

  it("decodes", () => {
    for (const { text, ids, decoded } of golden.cases) expect(tokenizer.decode(ids), text).toBe(decoded);
  });
});

it("finds the golden SentencePiece models", () => {
  expect(sentencePiece.length).toBeGreaterThanOrEqual(5);
});

describe("cl100k_base.tiktoken says what tiktoken says", () => {
  const golden = readGolden("tiktoken_cl100k_base");
  const { pat_str: pattern = "", special_tokens: specialTokens = {} } = golden;
  const files = goldenFiles("tiktoken_cl100k_base");

  it.each([
    ["its published pattern and tokens", { tiktoken: { pattern, specialTokens } }],
    ["what is known by its name", {}],
  ])("with %s", (_, options) => {
    const tokenizer = createTokenizer(files, options);
    for (const { text, ids, ids_special, decoded } of golden.cases) {
      expect([...tokenizer.encode(text, { parseSpecial: false })], text).toEqual(ids);
      expect([...tokenizer.encode(text)], text).toEqual(ids_special);
      expect(tokenizer.decode(ids_special ?? ids), text).toBe(decoded);
    }
  });
});

describe("vocab.json and merges.txt alone", () => {
  it("make GPT-2's tokenizer", () => {
    const files = goldenFiles("real_gpt2", (file) => file === "vocab.json" || file === "merges.txt");
    const tokenizer = createTokenizer(files);
    for (const { text, ids, decoded } of readGolden("real_gpt2").cases) {
      expect([...tokenizer.encode(text)], text).toEqual(ids);
      expect(tokenizer.decode(ids), text).toBe(decoded);
    }
    expect(tokenizer.eosTokenId).toBe(50256);
  });

  it.each(["CodeGen25Tokenizer", "XgenTokenizer"])("make what %s adds to, as the rank file does", (tokenizer_class) => {
    const { "vocab.json": vocab } = goldenFiles("real_gpt2", (file) => file === "vocab.json");
    const entries = Object.entries<number>(JSON.parse(new TextDecoder().decode(vocab as Uint8Array)));
    const ranks = entries.flatMap(([token, rank]) =>
      token === "<|endoftext|>" ? [] : [`${Buffer.from(alphabetBytes(token)!).toString("base64")} ${rank}\n`],
    );
    const config = { "tokenizer_config.json": JSON.stringify({ tokenizer_class }) };
    const [pair, whole] = [
      createTokenizer({ ...config, "vocab.json": vocab! }),
      createTokenizer({ ...config, "gpt2.tiktoken": ranks.join("") }),
    ];
    for (const { text, ids } of readGolden("real_gpt2").cases) {
      expect([...pair.encode(text)], text).toEqual([...whole.encode(text)]);
      if (!/ {2}|\t\t|<\||<s|<f/.test(text)) expect([...pair.encode(text)], text).toEqual(ids);
    }
    expect([...pair.encode("x    y<fim_prefix>")]).toEqual([...whole.encode("x    y<fim_prefix>")]);
    expect(pair.eosTokenId).toBe(50256);
    expect(pair.vocabSize).toBe(whole.vocabSize);
    expect(() => createTokenizer(config)).toThrow(/put GPT-2's vocab\.json or gpt2\.tiktoken beside them/);
  });

  it("make StarCoder's, whose digits stand alone, out of the bundled checkpoint's", () => {
    const read = (...names: string[]) =>
      Object.fromEntries(names.map((name) => [name, readFileSync(`${demoModelFolder}/${name}`)]));
    const pair = createTokenizer(read("vocab.json", "merges.txt"));
    const whole = createTokenizer(read("tokenizer.json", "tokenizer_config.json"));
    expect(pair.specialTokens).toEqual(whole.specialTokens);
    for (const { text } of readGolden("bpe_starcoder").cases)
      expect(pair.encode(text), text).toEqual(whole.encode(text));
    expect(pair.encode("x =  12345")).toEqual(whole.encode("x =  12345"));
    expect(pair.infill?.family).toBe("starcoder");
  });
});
