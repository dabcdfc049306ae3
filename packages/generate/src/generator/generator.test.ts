import { NULL_DEVICES, nullLogits, openNull } from "@llm/target/null";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { ContextOverflowError, GenerateError, shown } from "../error.ts";
import { randomState } from "../random/random-state.ts";
import { BYTE_VOCAB, byteTokenizer, END } from "../testing/byte-tokenizer.ts";
import { StopStrings } from "../text/stop-strings.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import { AFTER_END, stackContexts } from "./contexts.ts";
import { Generator } from "./generator.ts";

/** Letters only, so that text is text. */
const letters = Array.from({ length: BYTE_VOCAB }, (_, id) => id).filter((id) => id < 97 || id > 122);
const plain = { suppressTokens: letters, maxNewTokens: 20 };

function open(like: (typeof NULL_DEVICES)[number] = "cpu", context = 128): Generator {
  const session = openNull({ like, context, prompt: 16, vocab: BYTE_VOCAB });
  return new Generator({ session, tokenizer: byteTokenizer });
}

describe("Generator", () => {
  it("streams the pieces that make the text", async () => {
    const generator = open();
    const generation = generator.stream("once", plain);
    let text = "";
    for await (const piece of generation) text += piece;
    const completion = await generation.result;
    expect(text).toBe(completion.text);
    expect(completion).toMatchObject({
      finishReason: "length",
      usage: { promptTokens: 4, cachedTokens: 0, completionTokens: 20 },
    });
    expect(text).toMatch(/^[a-z]{20}$/);
    expect(completion.timings.totalMs).toBeGreaterThanOrEqual(completion.timings.firstTokenMs);
  });

  it.each(NULL_DEVICES)("says the same on every device: %s", async (like) => {
    const [here, there] = [open("cpu"), open(like)];
    const prompts = ["a", "some longer prompt that comes in chunks", "b"];
    const options = [{ ...plain }, { ...plain, temperature: 1, seed: 5 }, { ...plain, repetitionPenalty: 2 }];
    const texts = (await there.generate(prompts, options)).map(({ text }) => text);
    for (const [i, prompt] of prompts.entries()) expect((await here.generate(prompt, options[i])).text).toBe(texts[i]);
  });

  it("asks a draft model unless a call says not to", async () => {
    let now = 0;
    const session = openNull({ context: 128, prompt: 16, vocab: BYTE_VOCAB });
    const step = session.step.bind(session);
    session.step = (rows) => {
      now++; // the draft model's steps take no time
      return step(rows);
    };
    const scheduler = { draft: openNull({ context: 128, prompt: 16, vocab: BYTE_VOCAB }), now: () => now };
    const generator = new Generator({ session, tokenizer: byteTokenizer, scheduler });
    const guessed = await generator.generate("once", { ...plain, maxNewTokens: 60 });
    expect(guessed.usage.acceptedTokens).toBeGreaterThan(0);
    const alone = await generator.generate("once", { ...plain, maxNewTokens: 60, speculate: false });
    expect(alone.usage.draftTokens).toBeUndefined();
    expect(alone.tokens).toEqual(guessed.tokens);
    await generator.close();
  });

  it("ends at a stop string, wherever it is cut, and never shows a part of it", async () => {
    const generator = open();
    const { text } = await generator.generate("x", plain);
    const stop = text.slice(7, 10);
    const pieces: string[] = [];
    const generation = generator.stream("x", { ...plain, stop: ["never", stop] });
    for await (const piece of generation) pieces.push(piece);
    const before = text.slice(0, text.indexOf(stop));
    expect(await generation.result).toMatchObject({ text: before, finishReason: "stop" });
    expect(pieces.join("")).toBe(before);
  });

  it("ends at the end-of-text token, unless told to ignore it", async () => {
    const generator = open();
    const bias = { logitBias: { [END]: 100 }, maxNewTokens: 3 };
    expect(await generator.generate("x", bias)).toMatchObject({ text: "", tokens: [END], finishReason: "stop" });
    expect(await generator.generate("x", { ...bias, ignoreEos: true })).toMatchObject({
      tokens: [END, END, END],
      finishReason: "length",
    });
    const twoAtLeast = await generator.generate("x", { ...bias, minNewTokens: 2 });
    expect(twoAtLeast.tokens.indexOf(END)).toBe(2);
  });

  it("refuses a prompt that leaves no room, with the numbers, or shortens it as asked", async () => {
    const generator = open("aic100", 32);
    const long = "abcdefghijklmnopqrstuvwxyz0123456789";
    const error = await Promise.resolve()
      .then(() => generator.stream(long))
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ContextOverflowError);
    expect(error).toMatchObject({
      code: "context-overflow",
      tokens: 36,
      limit: 31,
      message: expect.stringContaining("5 more than the 31"),
    });
    const options = { ...plain, maxNewTokens: 4 };
    const left = await generator.generate(long, { ...options, truncatePrompt: "left" });
    expect(left.tokens).toEqual((await generator.generate(long.slice(-28), options)).tokens);
    const middle = await generator.generate(long, { ...options, truncatePrompt: "middle" });
    expect(middle.tokens).toEqual((await generator.generate(long.slice(0, 14) + long.slice(-14), options)).tokens);
  });

  it("gives log-probabilities of the model's own distribution", async () => {
    const { logprobs } = await open().generate("x", { maxNewTokens: 2, temperature: 3, logprobs: 4 });
    for (const { id, logprob, top } of logprobs!) {
      expect(top).toHaveLength(4);
      expect(top!.map(({ logprob: p }) => p)).toEqual(top!.map(({ logprob: p }) => p).toSorted((a, b) => b - a));
      expect(logprob!).toBeLessThanOrEqual(top![0]!.logprob);
      expect(top!.find((one) => one.id === id)?.logprob ?? logprob).toBe(logprob);
    }
    const greedy = await open().generate("x", { maxNewTokens: 1, logprobs: 257 });
    const total = greedy.logprobs![0]!.top!.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);
    expect(total).toBeCloseTo(1, 6);
  });

  it.each(NULL_DEVICES)(
    "tells the chosen tokens' log-probabilities alone where none beside them are asked for: %s",
    async (like) => {
      const { tokens, logprobs } = await open(like).generate("x", { maxNewTokens: 3, logprobs: 0 });
      const before = [120];
      for (const [at, { id, logprob, top }] of logprobs!.entries()) {
        const logits = nullLogits([...before, ...tokens.slice(0, at)], BYTE_VOCAB);
        expect(logprob).toBeCloseTo(logits[id]! - Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0)), 5);
        expect(top).toEqual([]);
      }
    },
  );

  it("stops at once when the signal says so", async () => {
    const generator = open();
    const stop = new AbortController();
    const generation = generator.stream("x", { ...plain, maxNewTokens: 100, signal: stop.signal });
    const read = async (): Promise<void> => {
      for await (const _ of generation) stop.abort(new Error("enough"));
    };
    await expect(read()).rejects.toThrow("enough");
    await expect(generation.result).rejects.toThrow("enough");
    expect(await generator.generate("x", plain)).toMatchObject({ finishReason: "length" });
  });

  it("chats by the tokenizer's template, or by a given one", async () => {
    const generator = open();
    const messages = [{ role: "user", content: "hi" }];
    const { tokens } = await generator.chat(messages, plain).result;
    expect(tokens).toEqual((await generator.generate("<user>hi<assistant>", plain)).tokens);
    const { applyChatTemplate: _, ...bare } = byteTokenizer;
    const session = openNull({ vocab: BYTE_VOCAB });
    expect(() => new Generator({ session, tokenizer: bare }).chat(messages)).toThrow(/no chat template/);
    const own = new Generator({
      session: openNull({ vocab: BYTE_VOCAB }),
      tokenizer: bare,
      template: () => "<user>hi<assistant>",
    });
    expect((await own.chat(messages, plain).result).tokens).toEqual(tokens);
  });

  it("chats by its defaults, too", async () => {
    const messages = [{ role: "user", content: "hi" }];
    const { text } = await open().chat(messages, plain).result;
    const session = openNull({ vocab: BYTE_VOCAB });
    const generator = new Generator({ session, tokenizer: byteTokenizer, defaults: { stop: text.slice(7, 10) } });
    expect(await generator.chat(messages, plain).result).toMatchObject({
      text: text.slice(0, 7),
      finishReason: "stop",
    });
    expect(await generator.chat(messages, { ...plain, stop: "0" }).result).toMatchObject({ text });
  });

  it("chats by a beam search, too, whatever the template says of stops", async () => {
    const beams = { ...plain, numBeams: 2, guidanceScale: 1 };
    const { tokens } = await open().generate("<user>hi<assistant>", beams);
    const tokenizer = { ...byteTokenizer, chatTemplate: { stops: ["<user>"] } };
    const generator = new Generator({ session: openNull({ vocab: BYTE_VOCAB }), tokenizer });
    const messages = [{ role: "user", content: "hi" }];
    expect((await generator.chat(messages, beams).result).tokens).toEqual(tokens);
    await expect(generator.chat(messages, { ...beams, stop: "x" }).result).rejects.toThrow("takes no stop");
  });

  it("ends an answer where the template says that the next turn would begin", async () => {
    const whole = await open().generate("<user>hi<assistant>", { ...plain, maxNewTokens: 30 });
    const next = new TextDecoder("latin1").decode(Uint8Array.from(whole.tokens.slice(4, 7)));
    const decode: TextTokenizer["decode"] = (ids) => new TextDecoder("latin1").decode(Uint8Array.from(Array.from(ids)));
    const stream = () => ({ push: (id: number) => decode([id]), end: () => "" });
    const tokenizer = { ...byteTokenizer, decode, stream, chatTemplate: { stops: [next] } };
    const generator = new Generator({ session: openNull({ vocab: BYTE_VOCAB }), tokenizer });
    const answer = await generator.chat([{ role: "user", content: "hi" }], { ...plain, maxNewTokens: 30 }).result;
    expect(answer).toMatchObject({ finishReason: "stop", text: decode(whole.tokens.slice(0, 4)) });
  });

  it("draws anew where it left off, by the random state that comes back", async () => {
    const generator = open();
    const options = { ...plain, temperature: 1 };
    const whole = await generator.generate("x", { ...options, seed: 9 });
    const first = await generator.generate("x", { ...options, seed: 9, maxNewTokens: 8 });
    const rest = await generator.generate(`x${first.text}`, {
      ...options,
      random: JSON.parse(JSON.stringify(first.random)),
      maxNewTokens: 12,
    });
    expect(first.text + rest.text).toBe(whole.text);
    const rows = await generator.generate(["x", "x"], { ...options, seed: 9 });
    expect(rows[0]!.text).not.toBe(rows[1]!.text);
  });

  it("ends what is under way when it is closed", async () => {
    const generator = open();
    const { result } = generator.stream("x", { ...plain, maxNewTokens: 100 });
    await generator.close();
    await expect(result).rejects.toMatchObject({ code: "closed" });
    expect(() => generator.stream("x")).toThrow(GenerateError);
  });
});

describe("contexts, step by step", () => {
  const options = { ...plain, temperature: 0.9 };

  it.each(NULL_DEVICES)("give the same at once, token by token and by themselves: %s", async (like) => {
    const generator = open(like);
    const contexts = ["first", "the second one"].map((text, i) =>
      generator.prepareContext(text, { ...options, seed: i, topK: 5 + i, maxNewTokens: 6 + 4 * i }),
    );
    const batch = stackContexts(contexts);
    const atOnce = await generator.generateAtOnce(batch, 12);
    const stepped: number[][] = [];
    let last = batch;
    for await (const { tokens, context } of generator.generateFromContext(batch)) {
      stepped.push(Array.from(tokens));
      last = context;
    }
    const column = (row: number): number[] => stepped.map((step) => step[row]!);
    expect(stepped).toHaveLength(10);
    expect(Array.from(atOnce.tokens.subarray(0, 12))).toEqual([...column(0), AFTER_END, AFTER_END]);
    expect(column(0).slice(6)).toEqual([-1, -1, -1, -1]);
    expect(Array.from(atOnce.tokens.subarray(12))).toEqual([...column(1), AFTER_END, AFTER_END]);
    expect(atOnce.context).toEqual(last);
    for (const [i, context] of contexts.entries()) {
      const single = await generator.generateAtOnce(context, 12);
      expect(single.tokens).toEqual(atOnce.tokens.subarray(12 * i, 12 * i + 12));
    }
  });

  it("are plain data that can be put away and taken up by another session", async () => {
    const [one, other] = [open(), open("bm1684x")];
    const start = one.prepareContext("text", { ...options, presencePenalty: 1 });
    const half = await one.generateAtOnce(start, 5);
    const rest = await other.generateAtOnce(JSON.parse(JSON.stringify(half.context)), 15);
    const whole = await one.generateAtOnce(start, 20);
    expect([...half.tokens, ...rest.tokens]).toEqual(Array.from(whole.tokens));
  });

  it("take no step after their end, and none is left out by maxLength", async () => {
    const generator = open();
    const context = generator.prepareContext("abc", { ...plain, maxNewTokens: undefined, maxLength: 5 });
    const { tokens, context: after } = await generator.generateAtOnce(context, 4);
    expect(Array.from(tokens).slice(2)).toEqual([-1, -1]);
    expect(Array.from((await generator.generateNextTokens(after)).tokens)).toEqual([-1]);
  });
});

describe("moving over from transformers", () => {
  it("takes its option names, tokenizers and streamers", async () => {
    const tokenizer = {
      encode: (text: string) => Array.from(new TextEncoder().encode(text)),
      decode: (ids: number[]) => new TextDecoder().decode(Uint8Array.from(ids.filter((id) => id < END))),
      eos_token: null,
    };
    const streamer = { put: vi.fn<(rows: bigint[][]) => void>(), end: vi.fn<() => void>() };
    const generator = new Generator({ session: openNull({ vocab: BYTE_VOCAB }), tokenizer });
    expect(generator.tokenizer).toBe(tokenizer);
    const { text, tokens } = await generator.generate("hé", {
      ...{ max_new_tokens: 5, do_sample: true, top_p: 0.9, suppress_tokens: letters, stop_strings: ["zzz"], streamer },
      random: randomState(1),
    });
    const ours = await open().generate("hé", {
      ...plain,
      maxNewTokens: 5,
      temperature: 1,
      topK: 50,
      topP: 0.9,
      random: randomState(1),
    });
    expect(text).toBe(ours.text);
    await Promise.resolve();
    expect(streamer.put.mock.calls.map(([rows]) => rows)).toEqual([
      [[104n, 195n, 169n]],
      ...tokens.map((id) => [[BigInt(id)]]),
    ]);
    expect(streamer.end).toHaveBeenCalledOnce();
  });

  it("takes temperature 0 as greedy where generation_config says do_sample", async () => {
    const session = openNull({ vocab: BYTE_VOCAB });
    const sampling = new Generator({ session, tokenizer: byteTokenizer, defaults: { do_sample: true, top_p: 0.95 } });
    const greedy = await open().generate("x", plain);
    for (let seed = 0; seed < 3; seed++)
      expect((await sampling.generate("x", { ...plain, temperature: 0, seed })).tokens).toEqual(greedy.tokens);
    expect((await sampling.generate("x", { ...plain, seed: 1 })).tokens).not.toEqual(greedy.tokens);
  });

  it("streams characters of several tokens whole through such a tokenizer", async () => {
    const tokenizer = {
      encode: (text: string) => Array.from(new TextEncoder().encode(text)),
      decode: (ids: number[]) => new TextDecoder().decode(Uint8Array.from(ids)),
    };
    const generator = new Generator({ session: openNull({ vocab: BYTE_VOCAB }), tokenizer });
    const said = Array.from(new TextEncoder().encode("aé€😀b"));
    const allow = (generated: Int32Array): Uint32Array => {
      const mask = new Uint32Array(9);
      const id = said[generated.length]!;
      mask[id >>> 5] = 1 << (id & 31);
      return mask;
    };
    const generation = generator.stream("x", { allow, maxNewTokens: said.length });
    const pieces: string[] = [];
    for await (const piece of generation) pieces.push(piece);
    expect(pieces).toEqual(["a", "é", "€", "😀", "b"]);
  });

  it("counts the prompt to min_length, as to max_length", async () => {
    const generator = open();
    const ending = { logitBias: { [END]: 100 }, max_length: 12 };
    const ends = async (options: object): Promise<number> =>
      (await generator.generate("prompt", { ...ending, ...options })).tokens.indexOf(END);
    expect(await ends({ min_length: 9 })).toBe(3);
    expect(await ends({ minLength: 6 })).toBe(0);
    expect(await ends({ min_length: 2 })).toBe(0);
    expect(await ends({ min_length: 9, min_new_tokens: 1 })).toBe(1);
    expect(await ends({ min_length: 2, min_new_tokens: 4 })).toBe(4);
    const context = generator.prepareContext("prompt", { ...ending, min_length: 9 });
    const { tokens } = await generator.generateAtOnce(context, 6);
    expect(tokens.indexOf(END)).toBe(3);
    expect(() => generator.stream("x", { min_length: NaN })).toThrow("min_length is NaN, but must be a whole number");
  });

  it.each([-1, NaN, 1.5, "3"])("refuses %s log-probabilities", (logprobs) => {
    expect(() => open().stream("x", { logprobs })).toThrow(
      `logprobs is ${shown(logprobs)}, but must be a whole number`,
    );
  });

  it("names an option that doesn't exist", () => {
    expect(() => open().stream("x", { max_tokens_new: 3 })).toThrow("there is no option max_tokens_new");
  });
});

describe("stop strings", () => {
  it("are found however the text is cut", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 30 }),
        fc.array(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 4 }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
        (text, stops, cuts) => {
          const finder = new StopStrings(stops);
          let got = "";
          for (let at = 0, i = 0; at < text.length && !finder.stopped; i++) {
            const size = cuts[i % cuts.length]!;
            got += finder.push(text.slice(at, at + size));
            at += size;
          }
          got += finder.end();
          const found = stops
            .map((stop) => ({ stop, at: text.indexOf(stop), end: text.indexOf(stop) + stop.length }))
            .filter(({ at }) => at >= 0)
            .sort((one, other) => one.end - other.end || one.at - other.at)[0];
          expect(finder.stopped).toBe(found !== undefined);
          expect(finder.found).toBe(found?.stop);
          expect(got).toBe(text.slice(0, found?.at ?? text.length));
        },
      ),
    );
  });
});
