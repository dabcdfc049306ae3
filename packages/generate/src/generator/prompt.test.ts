import { openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { shown } from "../error.ts";
import { BYTE_VOCAB, byteTokenizer, END } from "../testing/byte-tokenizer.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import { Generator } from "./generator.ts";

/** Marks are letters that nobody writes: what counts is the order, and what ends an answer. */
const filling: TextTokenizer = {
  ...byteTokenizer,
  encodeInfill: ({ prefix, suffix }) => byteTokenizer.encode(`<${prefix}>${suffix}|`),
  infillEnds: [0, 1],
};

function open(tokenizer: TextTokenizer = filling): Generator {
  return new Generator({ session: openNull({ context: 64, prompt: 16, vocab: BYTE_VOCAB }), tokenizer });
}

describe("a suffix", () => {
  it("is told to the model as its family does", async () => {
    const generator = open();
    const said = await generator.generate("def f(", { suffix: "return x", maxNewTokens: 6, ignoreEos: true });
    const same = await generator.generate("<def f(>return x|", { maxNewTokens: 6, ignoreEos: true });
    expect(said.tokens).toEqual(same.tokens);
    expect(said.usage.promptTokens).toBe("<def f(>return x|".length);
    const beams = { suffix: "b", numBeams: 2, maxNewTokens: 4 };
    expect((await generator.generate("a", beams)).tokens).toEqual(
      (await generator.generate("<a>b|", { ...beams, suffix: undefined })).tokens,
    );
    await generator.close();
  });

  it.each([0, 1, END])("ends with its family's tokens, too: %i", async (end) => {
    const generator = open();
    const options = { logitBias: { [end]: 1000 }, maxNewTokens: 5 };
    expect(await generator.generate("a", { ...options, suffix: "b" })).toMatchObject({
      tokens: [end],
      text: "",
      finishReason: "stop",
    });
    expect((await generator.generate("a", options)).tokens).toHaveLength(end === END ? 1 : 5);
    await generator.close();
  });

  it("is refused where it makes no sense", async () => {
    const generator = open();
    expect(() => generator.stream([1, 2], { suffix: "b" })).toThrow("stands between two texts");
    expect(() => generator.stream("a", { suffix: "b", inputLen: 3 })).toThrow("is not cut");
    expect(() => generator.stream("a", { suffix: "b", truncatePrompt: "left" })).toThrow("is not cut");
    expect(() => open(byteTokenizer).stream("a", { suffix: "b" })).toThrow("doesn't know how its model fills in");
    expect(() => generator.chat([{ role: "user", content: "a" }], { suffix: "b" })).toThrow("has no suffix");
    await generator.close();
  });
});

describe("inputLen", () => {
  const text = "the quick brown fox";

  it.each([
    [{ inputLen: 9 }, "brown fox"],
    [{ inputLen: 9, truncatePrompt: "middle" }, "the q fox"],
    [{ inputLen: 99 }, text],
    [{ input_len: 3 }, "fox"],
  ])("is what a prompt is cut to: %o", async (options, left) => {
    const generator = open();
    const { tokens, usage } = await generator.generate(text, { ...options, maxNewTokens: 4, ignoreEos: true });
    expect(usage.promptTokens).toBe(left.length);
    expect(tokens).toEqual((await generator.generate(left, { maxNewTokens: 4, ignoreEos: true })).tokens);
    await generator.close();
  });

  it("doesn't make room for what is still too long", async () => {
    const generator = open();
    expect(() => generator.stream("x".repeat(99), { inputLen: 80 })).toThrow("the prompt has 80 tokens, 17 more");
    await generator.close();
  });
});

describe("a negative prompt", () => {
  const guided = { guidanceScale: 2, maxNewTokens: 4, ignoreEos: true };

  it("needs room for the answer as the prompt does", async () => {
    const generator = open();
    const negativePrompt = "x".repeat(70);
    expect(() => generator.stream("a", { ...guided, negativePrompt })).toThrow("negativePrompt has 70 tokens, 7 more");
    const cut = await generator.generate("a", { ...guided, negativePrompt, truncatePrompt: "left" });
    const short = await generator.generate("a", { ...guided, negativePrompt: "x".repeat(60) });
    expect(cut.tokens).toEqual(short.tokens);
    expect(cut.tokens).toHaveLength(4);
    await generator.close();
  });

  it("is refused where nothing says how far it steers", async () => {
    const generator = open();
    expect(() => generator.stream("a", { negativePrompt: "b" })).toThrow("a negativePrompt steers by guidanceScale");
    await generator.generate("a", { negative_prompt_ids: [5, 6], guidanceScale: 1, maxNewTokens: 1 });
    await generator.close();
  });

  it("is steered to below 1, and at 0 says what it would by itself", async () => {
    const generator = open();
    const towards = await generator.generate("a", { ...guided, guidanceScale: 0, negativePrompt: "b" });
    expect(towards.tokens).toEqual((await generator.generate("b", { maxNewTokens: 4, ignoreEos: true })).tokens);
    expect(() => generator.stream("a", { guidanceScale: -1 })).toThrow("guidanceScale is -1");
    await generator.close();
  });
});

it("takes whole numbers of tokens only, on every way", async () => {
  const generator = open();
  for (const maxNewTokens of [1.5, Number.NaN, -1, "4"])
    for (const more of [{}, { guidanceScale: 2 }, { numBeams: 2 }])
      expect(() => generator.stream("a", { ...more, maxNewTokens })).toThrow(
        `maxNewTokens is ${shown(maxNewTokens)}, but`,
      );
  await generator.close();
});

describe("a prompt of ids", () => {
  it("may be of bigints, as transformers.js has them", async () => {
    const generator = open();
    const same = await generator.generate([5, 6, 7], { maxNewTokens: 4 });
    for (const ids of [BigInt64Array.of(5n, 6n, 7n), [5n, 6n, 7n]])
      expect((await generator.generate(ids, { maxNewTokens: 4 })).tokens).toEqual(same.tokens);
    await generator.close();
  });

  it.each([[[1.7, 2]], [[1, "x"]], [[2 ** 32 + 5]], [[2n ** 40n]], [[Number.NaN]]])("is of ids: %o", async (prompt) => {
    const generator = open();
    expect(() => generator.stream(prompt as number[])).toThrow("is no token id");
    await generator.close();
  });

  it.each([5, { text: "a" }, undefined])("is a list, or a text: %o", async (prompt) => {
    const generator = open();
    expect(() => generator.stream(prompt as unknown as string)).toThrow("a prompt is a text or a list of token ids");
    await generator.close();
  });
});

describe("maxLength", () => {
  const long = "the quick brown fox jumps over the lazy dog and over everything else there is to jump over";

  it.each([20, 50])("is what a prompt is cut to where it may be cut: %i", async (maxLength) => {
    const generator = open();
    const options = { maxLength, truncatePrompt: "left", ignoreEos: true } as const;
    const { usage } = await generator.generate(long, options);
    expect(usage).toMatchObject({ promptTokens: maxLength / 2, completionTokens: maxLength / 2 });
    const [row] = generator.prepareContext(long, options).rows;
    expect(row).toMatchObject({ promptLength: maxLength / 2, maxLength });
    expect(row!.tokens).toEqual(Array.from(byteTokenizer.encode(long.slice(-maxLength / 2))));
    await generator.close();
  });

  it("refuses a longer prompt that may not", async () => {
    const generator = open();
    for (const ask of [
      () => void generator.stream(long.slice(0, 20), { maxLength: 20 }),
      () => void generator.prepareContext(long.slice(0, 20), { maxLength: 20 }),
    ])
      expect(ask).toThrow("the prompt's 20 tokens leave nothing of maxLength 20");
    await generator.close();
  });
});

it("scores a prompt that fills the context: nothing is to follow", async () => {
  const generator = open();
  const prompt = Array.from({ length: 64 }, (_, i) => i);
  const score = { maxNewTokens: 0, promptLogprobs: 0 };
  expect((await generator.generate(prompt, score)).promptLogprobs).toHaveLength(64);
  expect(() => generator.stream([...prompt, 1], score)).toThrow("1 more than the 64");
  const cut = await generator.generate([9, ...prompt], { ...score, truncatePrompt: "left" });
  expect(cut.usage.promptTokens).toBe(64);
  await generator.close();
});
