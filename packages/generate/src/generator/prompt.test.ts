import { openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
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
      expect(() => generator.stream("a", { ...more, maxNewTokens })).toThrow(`maxNewTokens is ${maxNewTokens}`);
  await generator.close();
});
