import { openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { randomState } from "../random/random-state.ts";
import { isGreedy } from "../sampling/options.ts";
import { BYTE_VOCAB, byteTokenizer } from "../testing/byte-tokenizer.ts";
import { withDefaults } from "./defaults.ts";
import { Generator } from "./generator.ts";
import type { GenerateOptions } from "./options.ts";
import { samplingOf } from "./options.ts";

const draws = { doSample: true, temperature: 0.6, topP: 0.9 };
const silent = { doSample: false, temperature: 0.6, topP: 0.9 };

describe("whether a call draws", () => {
  it.each<[GenerateOptions, GenerateOptions, boolean]>([
    [{}, {}, false],
    [{}, { temperature: 0.5 }, true],
    [{}, { topP: 0.9, seed: 3 }, true],
    [{}, { topP: 1, topK: 0, minP: 0, typicalP: 1 }, false],
    [{}, { seed: 7 }, false],
    [{}, { doSample: true }, true],
    [{}, { doSample: false, temperature: 0.5 }, false],
    [{}, { greedy: true, topK: 4 }, false],
    [{}, { temperature: 0, topK: 4 }, false],
    [{}, { greedy: false, temperature: 0 }, false],
    [{}, { n: 3 }, true],
    [{}, { bestOf: 3 }, true],
    [{}, { n: 3, temperature: 0 }, false],
    [{}, { n: 3, numBeams: 3 }, false],
    [draws, {}, true],
    [draws, { topP: 1 }, true],
    [draws, { greedy: true }, false],
    [draws, { doSample: false }, false],
    [draws, { temperature: 0 }, false],
    [draws, { numBeams: 2 }, false],
    [draws, { numBeams: 2, temperature: 1 }, true],
    [silent, {}, false],
    [silent, { topP: 1 }, false],
    [silent, { topK: 9 }, true],
    [silent, { doSample: true }, true],
    [{ temperature: 0 }, { minP: 0.1 }, true],
    [{ greedy: true }, { temperature: 1 }, true],
    [{ greedy: false }, { doSample: false }, false],
  ])("over %j, %j: %s", (defaults, asked, drawn) =>
    expect(!isGreedy(samplingOf(withDefaults(defaults, asked), 0))).toBe(drawn),
  );

  it("says nothing of what it draws from", () => {
    expect(withDefaults(draws, { temperature: 0.2 })).toEqual({ greedy: false, topK: 50, temperature: 0.2, topP: 0.9 });
    expect(withDefaults(silent, { topK: 9 })).toEqual({ greedy: false, topK: 9, temperature: 0.6, topP: 0.9 });
    expect(withDefaults({}, { doSample: true, topK: 7 })).toEqual({ greedy: false, topK: 7 });
    expect(withDefaults({ doSample: true, topK: 20 }, { doSample: true })).toEqual({ greedy: false, topK: 20 });
    expect(withDefaults({ doSample: true, topK: 0 }, { doSample: true })).toEqual({ greedy: false, topK: 0 });
  });
});

describe("one seed", () => {
  const asked = { temperature: 1, seed: 7, maxNewTokens: 12 };
  const open = (): Generator =>
    new Generator({ session: openNull({ vocab: BYTE_VOCAB, context: 64 }), tokenizer: byteTokenizer });

  it("says the same of a prompt alone, however it is asked for", async () => {
    const generator = open();
    const { tokens } = await generator.generate("x", asked);
    expect((await generator.stream("x", asked).result).tokens).toEqual(tokens);
    expect((await generator.generate(["x"], asked))[0]!.tokens).toEqual(tokens);
    expect((await generator.generate(["x"], [asked]))[0]!.tokens).toEqual(tokens);
    expect((await generator.several("x", asked))[0]!.tokens).toEqual(tokens);
    const step = await generator.generateAtOnce(generator.prepareContext("x", asked), 12);
    expect([...step.tokens]).toEqual(tokens);
    await generator.close();
  });

  it("draws apart for texts beside one another", async () => {
    const generator = open();
    const prompts = await generator.generate(["x", "x"], asked);
    const answers = await generator.several("x", { ...asked, n: 2 });
    expect(new Set([...prompts, ...answers].map(({ text }) => text)).size).toBe(2);
    expect(prompts.map(({ text }) => text)).toEqual(answers.map(({ text }) => text));
    await generator.close();
  });
});

it("refuses a temperature that is text, 0 too", async () => {
  const session = openNull({ context: 64, prompt: 16, vocab: BYTE_VOCAB });
  const generator = new Generator({ session, tokenizer: byteTokenizer });
  for (const temperature of ["0", "1"])
    await expect(generator.generate("a", { temperature: temperature as unknown as number })).rejects.toMatchObject({
      code: "option-invalid",
      message: `temperature is "${temperature}", but must be a number, not a string`,
    });
  await generator.close();
});

describe("defaults that a call's kind of generation can't follow", () => {
  const over = (defaults: GenerateOptions): Generator =>
    new Generator({ session: openNull({ vocab: BYTE_VOCAB, context: 128 }), tokenizer: byteTokenizer, defaults });

  it("give way to the length that it asks for", async () => {
    const generator = over({ maxNewTokens: 40, minNewTokens: 30, ignoreEos: true });
    expect((await generator.generate("abcd", { maxLength: 10, minLength: 5 })).tokens).toHaveLength(6);
    expect((await generator.generate("abcd")).tokens).toHaveLength(40);
    expect(generator.prepareContext("abcd", { maxLength: 10 }).rows[0]!.maxLength).toBe(10);
    expect((await generator.generate("abcd", { maxLength: 10, maxNewTokens: 2 })).tokens).toHaveLength(2);
    expect(withDefaults({ minNewTokens: 30 }, { minLength: 5 })).toEqual({ minLength: 5 });
    await generator.close();
  });

  it("give way to another form, and to another beginning of what is drawn", async () => {
    const generator = over({ json: true, random: randomState(7), temperature: 1, maxNewTokens: 8 });
    expect(await generator.generate("ab", { choice: ["yes", "no"] })).toMatchObject({
      text: expect.stringMatching(/^(yes|no)$/),
    });
    const drawn = { json: false, seed: 3, ignoreEos: true };
    const alone = over({ temperature: 1, maxNewTokens: 8, ignoreEos: true });
    expect((await generator.generate("ab", drawn)).tokens).toEqual((await alone.generate("ab", { seed: 3 })).tokens);
    await Promise.all([generator.close(), alone.close()]);
  });

  it("go unheard, and only what the call says is refused", async () => {
    const generator = over({ stop: ["zz"], guidanceScale: 1.5, logprobs: 1 });
    const beams = { numBeams: 2, maxNewTokens: 3 };
    const found = await generator.generate("ab", beams);
    expect(found.tokens).toEqual((await over({}).generate("ab", beams)).tokens);
    await expect(generator.generate("ab", { ...beams, stop: "x" })).rejects.toThrow("a beam search takes no stop");
    expect(generator.prepareContext("ab").rows[0]).toMatchObject({ stop: { strings: ["zz"] } });
    expect(() => generator.prepareContext("ab", { guidanceScale: 1.5 })).toThrow("takes no guidanceScale");
    await expect(generator.generate("ab", { ...beams, negativePrompt: "x" })).rejects.toThrow("no negativePrompt");
    await generator.close();
  });

  it("rule out nothing themselves where they go unheard", async () => {
    const generator = over({ numBeams: 2, stop: ["zz"] });
    expect(generator.prepareContext("ab").rows[0]).toMatchObject({ stop: { strings: ["zz"] } });
    await generator.close();
  });
});
