import { NULL_DEVICES, nullLogits, openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { BYTE_VOCAB, byteTokenizer } from "../testing/byte-tokenizer.ts";
import { Generator } from "./generator.ts";

const letters = Array.from({ length: BYTE_VOCAB }, (_, id) => id).filter((id) => id < 97 || id > 122);
const plain = { suppressTokens: letters, maxNewTokens: 8 };

function open(like: (typeof NULL_DEVICES)[number] = "cpu"): Generator {
  return new Generator({
    session: openNull({ like, context: 64, prompt: 16, vocab: BYTE_VOCAB }),
    tokenizer: byteTokenizer,
  });
}

const bytes = (text: string): number[] => Array.from(new TextEncoder().encode(text));

function logSoftmax(logits: Float32Array): Float64Array {
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
  return Float64Array.from(logits, (x) => x - total);
}

describe("several answers", () => {
  it("are drawn apart, and the same again with the same seed", async () => {
    const generator = open();
    const asked = { ...plain, temperature: 1, seed: 4, n: 3 };
    const texts = (await generator.several("a", asked)).map(({ text }) => text);
    expect(new Set(texts).size).toBe(3);
    expect((await generator.several("a", asked)).map(({ text }) => text)).toEqual(texts);
    await generator.close();
  });

  it("of one prompt cost one reading of it, its own likelihoods included", async () => {
    const session = openNull({ context: 64, prompt: 16, vocab: BYTE_VOCAB });
    const step = session.step.bind(session);
    let sent = 0;
    session.step = (rows) => {
      sent += rows.reduce((sum, { tokens }) => sum + tokens.length, 0);
      return step(rows);
    };
    const generator = new Generator({ session, tokenizer: byteTokenizer });
    const prompt = "x".repeat(30);
    const texts = await generator.several(prompt, { temperature: 1, n: 3, maxNewTokens: 1, promptLogprobs: 1 });
    for (const { promptLogprobs } of texts) expect(promptLogprobs).toHaveLength(30);
    expect(sent).toBe(29 + 3); // all that is scored, and the token after which the texts part
    await generator.close();
  });

  it("are each the prompt's score where nothing is to follow", async () => {
    const generator = open();
    const texts = await generator.several("abc", { n: 2, maxNewTokens: 0, promptLogprobs: 1 });
    expect(texts).toHaveLength(2);
    for (const { text, promptLogprobs } of texts) expect([text, promptLogprobs!.length]).toEqual(["", 3]);
    await generator.close();
  });

  it("are the likeliest of those that were drawn", async () => {
    const generator = open();
    const asked = { ...plain, temperature: 1, seed: 4 };
    const all = await generator.several("a", { ...asked, n: 6, logprobs: 0 });
    const mean = ({ logprobs }: (typeof all)[number]): number =>
      logprobs!.reduce((sum, { logprob }) => sum + logprob!, 0) / logprobs!.length;
    const expected = all.toSorted((a, b) => mean(b) - mean(a)).slice(0, 2);
    const best = await generator.several("a", { ...asked, n: 2, bestOf: 6 });
    expect(best.map(({ text }) => text)).toEqual(expected.map(({ text }) => text));
    expect(best[0]).not.toHaveProperty("logprobs");
    await expect(generator.several("a", { n: 3, bestOf: 2 })).rejects.toThrow("the best 3 of 2");
    await generator.close();
  });
});

describe("beams", () => {
  it.each(NULL_DEVICES)("find nothing less likely than the greedy text, on %s", async (like) => {
    const generator = open(like);
    const greedy = await generator.generate("abc", { ...plain, logprobs: 0, suppressTokens: [] });
    const score = greedy.logprobs!.reduce((sum, { logprob }) => sum + logprob!, 0) / greedy.tokens.length;
    const [one] = await generator.several("abc", { maxNewTokens: 8, numBeams: 1, logprobs: 0 });
    expect(one!.tokens).toEqual(greedy.tokens);
    const beams = await generator.several("abc", { maxNewTokens: 8, numBeams: 4, n: 3 });
    expect(beams[0]!.score!).toBeGreaterThanOrEqual(score - 1e-5);
    expect(beams.map((beam) => beam.score)).toEqual(beams.map((beam) => beam.score).toSorted((a, b) => b! - a!));
    expect((await generator.generate("abc", { maxNewTokens: 8, numBeams: 4 })).text).toBe(beams[0]!.text);
    await generator.close();
  });

  it("come to no more tokens than are asked for", async () => {
    const generator = open();
    const [one] = await generator.several("abc", { num_beams: 4, num_return_sequences: 2, max_length: 10 });
    expect(one!.tokens).toHaveLength(7);
    expect((await generator.generate("abc", { num_beams: 4, max_length: 10 })).tokens).toEqual(one!.tokens);
    await expect(generator.several("abc", { numBeams: 2, maxNewTokens: 0 })).rejects.toThrow("maxNewTokens is 0");
    await expect(generator.several("abc", { numBeams: 2, maxLength: 3 })).rejects.toThrow("leave nothing of maxLength");
    await generator.close();
  });

  it("draw nothing, and say so only to who asked for it", async () => {
    const session = openNull({ context: 64, prompt: 16, vocab: BYTE_VOCAB });
    const defaults = { do_sample: true, temperature: 0.6, top_p: 0.9 };
    const generator = new Generator({ session, tokenizer: byteTokenizer, defaults });
    const asked = { numBeams: 3, maxNewTokens: 4 };
    const plainly = await open().generate("abc", asked);
    expect((await generator.generate("abc", asked)).tokens).toEqual(plainly.tokens);
    expect((await generator.generate("abc", { ...asked, do_sample: false, top_p: 0.5 })).tokens).toEqual(
      plainly.tokens,
    );
    for (const drawing of [{ do_sample: true }, { temperature: 0.5 }, { topK: 4 }])
      await expect(generator.generate("abc", { ...asked, ...drawing })).rejects.toThrow("a beam search draws nothing");
    for (const other of [{ bestOf: 2, n: 1 }, { promptLogprobs: 0 }])
      await expect(generator.several("abc", { ...asked, ...other })).rejects.toThrow(/a beam search takes no/);
    await generator.close();
  });

  it("in groups shun one another's tokens", async () => {
    const generator = open();
    const asked = { maxNewTokens: 6, numBeams: 4, numBeamGroups: 4, n: 4 };
    const [same, apart] = await Promise.all([
      generator.several("abc", asked),
      generator.several("abc", { ...asked, diversityPenalty: 1000 }),
    ]);
    expect(new Set(same.map(({ text }) => text)).size).toBe(1);
    for (let at = 0; at < 6; at++) expect(new Set(apart.map(({ tokens }) => tokens[at])).size).toBe(4);
    await generator.close();
  });

  it.each([{ numBeams: 2 }, { numBeams: 2, numBeamGroups: 2 }])(
    "end with what is wrong where a model gives no numbers: %o",
    async (beams) => {
      const session = openNull({ context: 64, prompt: 16, vocab: BYTE_VOCAB });
      const given = session.step.bind(session);
      let steps = 0;
      session.step = async (rows) => {
        const results = await given(rows);
        if (++steps === 3) for (const { logits } of results) logits?.fill(NaN);
        return results;
      };
      const generator = new Generator({ session, tokenizer: byteTokenizer });
      const code = "logits-invalid";
      await expect(generator.several("a", { ...plain, ...beams })).rejects.toMatchObject({ code });
      await expect(
        generator.several("a", { ...beams, suppressTokens: [...Array(BYTE_VOCAB).keys()] }),
      ).rejects.toMatchObject({ code: "nothing-left" });
      await generator.close();
    },
  );

  it("refuse by name what they can't do", async () => {
    const generator = open();
    await expect(generator.several("a", { numBeams: 2, regex: "a+" })).rejects.toThrow("a beam search takes no regex");
    await expect(generator.several("a", { numBeams: 2, n: 3 })).rejects.toThrow("give n up to numBeams");
    await expect(generator.several("a", { numBeams: 3, numBeamGroups: 2 })).rejects.toThrow("3 beams can't be shared");
    await generator.close();
  });
});

describe("guidance", () => {
  it.each(NULL_DEVICES)("combines what is said after two texts, on %s", async (like) => {
    const generator = open(like);
    const [scale, length] = [1.7, 10];
    const { tokens } = await generator.generate("good", {
      guidanceScale: scale,
      negativePrompt: "bad",
      maxNewTokens: length,
      ignoreEos: true,
    });
    const said: number[] = [];
    for (let i = 0; i < length; i++) {
      const [to, from] = ["good", "bad"].map((text) => logSoftmax(nullLogits([...bytes(text), ...said], BYTE_VOCAB)));
      const steered = to!.map((x, id) => scale * (x - from![id]!) + from![id]!);
      said.push(steered.indexOf(Math.max(...steered)));
    }
    expect(tokens).toEqual(said);
    await generator.close();
  });

  it("keeps to a form, a stop string and a cancellation", async () => {
    const generator = open();
    const formed = await generator.generate("a", { guidanceScale: 2, regex: "[0-9]{4}", maxNewTokens: 12 });
    expect(formed.text).toMatch(/^[0-9]{4}$/);
    await expect(
      generator.generate("a", { guidanceScale: 2, signal: AbortSignal.abort(new Error("enough")) }),
    ).rejects.toThrow("enough");
    await generator.close();
  });
});

describe("a prompt's log-probabilities", () => {
  it("come with the answer, or alone", async () => {
    const generator = open();
    const both = await generator.generate("hello", { ...plain, promptLogprobs: 2 });
    expect(both.promptLogprobs!.map(({ id }) => id)).toEqual(bytes("hello"));
    const expected = logSoftmax(nullLogits(bytes("hell"), BYTE_VOCAB));
    expect(both.promptLogprobs![4]!.logprob).toBeCloseTo(expected[bytes("o")[0]!]!, 5);
    expect(both.tokens).toHaveLength(8);
    const alone = await generator.generate("hello", { maxNewTokens: 0, promptLogprobs: 2 });
    expect(alone).toMatchObject({ text: "", tokens: [], promptLogprobs: both.promptLogprobs });
    expect(() => generator.stream("hello", { maxNewTokens: 0 })).toThrow("only makes sense with promptLogprobs");
    await generator.close();
  });
});

describe("embeddings", () => {
  it("are one vector a text", async () => {
    const generator = open();
    const [a, b] = await generator.embed(["one text", "another"], { pooling: "last" });
    expect(Math.hypot(...a!)).toBeCloseTo(1, 5);
    expect(Array.from(a!)).not.toEqual(Array.from(b!));
    const [same] = await generator.embed(["not one text"], { pooling: "last", input_len: 8 });
    expect(same).toEqual(a);
    const [long] = await generator.embed(["one text"], { normalize: false });
    expect(Math.hypot(...long!)).not.toBeCloseTo(1, 3);
    await generator.close();
  });

  it.each([
    [{ pooling: "cls" }, "pooling is cls, but must be mean or last"],
    [{ normalise: "no" }, "normalise is no"],
    [{ temperature: 1 }, "a text that becomes a vector takes no temperature"],
    [{ dimensions: 8 }, "there is no option dimensions"],
  ])("take no %o", async (options, message) => {
    const generator = open();
    await expect(generator.embed(["x"], options)).rejects.toThrow(message);
    await generator.close();
  });
});

describe("several prompts", () => {
  it("draw apart, but where each says from what", async () => {
    const generator = open();
    const drawn = { ...plain, temperature: 1 };
    const common = (await generator.generate(["a", "a"], drawn)).map(({ text }) => text);
    expect(new Set(common).size).toBe(2);
    const own = (await generator.generate(["a", "a"], [drawn, drawn])).map(({ text }) => text);
    expect(own).toEqual(common);
    const seeded = [
      { ...drawn, seed: 3 },
      { ...drawn, generationConfig: { seed: 3 } },
    ];
    const [one, other] = await generator.generate(["a", "a"], seeded);
    expect(one!.text).toBe(other!.text);
    expect(one!.text).toBe((await generator.generate("a", seeded[0])).text);
    await generator.close();
  });
});

describe("a streamer", () => {
  const streamer = () => {
    const heard: string[] = [];
    return { heard, put: () => void heard.push("put"), end: () => void heard.push("end") };
  };

  it("tells of one text", async () => {
    const generator = open();
    const one = streamer();
    const mixed = "a streamer tells of one text";
    await expect(generator.generate(["a", "b"], { ...plain, streamer: one })).rejects.toThrow(mixed);
    await expect(generator.several("a", { ...plain, n: 2, streamer: one })).rejects.toThrow(mixed);
    expect(one.heard).toEqual([]);
    const each = [streamer(), streamer()];
    await generator.generate(
      ["a", "b"],
      each.map((its) => ({ ...plain, maxNewTokens: 1, streamer: its })),
    );
    for (const { heard } of each) expect(heard).toEqual(["put", "put", "end"]);
    await generator.close();
  });

  it("hears nothing of a call that is refused, which reads no prompt either", async () => {
    const generator = open();
    const one = streamer();
    const wrong = { ...plain, promptLogprobs: 1, topP: 2, streamer: one };
    expect(() => generator.stream("a long prompt", wrong)).toThrow("topP is 2");
    expect(one.heard).toEqual([]);
    const deaf = {
      put: () => {
        throw new Error("deaf");
      },
      end: () => {},
    };
    for (const how of [{ promptLogprobs: 1 }, { guidanceScale: 2 }])
      expect(() => generator.stream("a long prompt", { ...plain, ...how, streamer: deaf })).toThrow("deaf");
    await generator.generate("x", { maxNewTokens: 1 });
    expect(generator.scheduler.stats).toMatchObject({ running: 0, waiting: 0, steps: 1 });
    await generator.close();
  });

  it("isn't all that ends with a call: so does the reading of its prompt", async () => {
    const session = openNull({ slots: 2, context: 64, prompt: 16, vocab: BYTE_VOCAB });
    const generator = new Generator({ session, tokenizer: byteTokenizer, scheduler: { promptTokensPerStep: 2 } });
    const stuck = { suppressTokens: Array.from({ length: BYTE_VOCAB }, (_, id) => id), maxNewTokens: 2 };
    await generator.generate("x".repeat(40), { maxNewTokens: 1 });
    const before = generator.scheduler.stats.steps;
    await expect(generator.generate("x".repeat(40), { ...stuck, promptLogprobs: 0 })).rejects.toMatchObject({
      code: "nothing-left",
    });
    await generator.generate("y", { maxNewTokens: 1 });
    expect(generator.scheduler.stats.steps - before).toBeLessThan(5); // not the 20 that reading it takes
    await generator.close();
  });
});
