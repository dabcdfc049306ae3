import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer } from "./testing/demo-server.ts";

let server: DemoServer;
let client: OpenAI;
beforeAll(async () => {
  server = await demoServer();
  client = new OpenAI({ baseURL: `${server.address}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(() => server.app.close());

const prompt = "def fibonacci(n):";
const ask = { model: "demo", prompt, temperature: 0 };

describe("a prompt's own log-probabilities", () => {
  it("are those that its tokens have as answers", async () => {
    const ids = Array.from(server.generator.tokenizer.encode(prompt));
    const { choices } = await client.completions.create({ ...ask, max_tokens: 4, echo: true, logprobs: 2, n: 2 });
    for (const { text, logprobs } of choices) {
      expect(text.startsWith(prompt)).toBe(true);
      expect(logprobs!.tokens!.join("")).toBe(text);
      expect(logprobs!.tokens).toHaveLength(ids.length + 4);
      expect(logprobs!.token_logprobs![0]).toBeNull();
      expect(logprobs!.text_offset![ids.length]).toBe(prompt.length);
    }
    const last = ids.length - 1;
    const alone = await client.completions.create({
      ...ask,
      prompt: ids.slice(0, last),
      max_tokens: 1,
      logprobs: 0,
      logit_bias: { [ids[last]]: 100 },
    });
    expect(choices[0].logprobs!.token_logprobs![last]).toBeCloseTo(alone.choices[0].logprobs!.token_logprobs![0]!, 3);
  });

  it("may be all that is asked for, of several prompts at once", async () => {
    const prompts = [prompt, "import os", "x"];
    const { choices, usage } = await client.completions.create({
      ...ask,
      prompt: prompts,
      max_tokens: 0,
      echo: true,
      logprobs: 1,
    });
    expect(choices.map(({ text }) => text)).toEqual(prompts);
    expect(choices.map(({ logprobs }) => logprobs!.tokens!.join(""))).toEqual(prompts);
    expect(usage!.completion_tokens).toBe(0);
  });
});

describe("best_of", () => {
  it("gives the likeliest of so many, and counts them all", async () => {
    const sampled = { ...ask, temperature: 1, seed: 11, max_tokens: 8, ignore_eos: true };
    const all = await client.completions.create({
      ...sampled,
      n: 6,
      logprobs: 0,
    } as OpenAI.CompletionCreateParamsNonStreaming);
    const best = await client.completions.create({
      ...sampled,
      n: 2,
      best_of: 6,
    } as OpenAI.CompletionCreateParamsNonStreaming);
    const mean = (values: (number | null)[]) => values.reduce<number>((sum, value) => sum + value!, 0) / values.length;
    const ranked = all.choices.toSorted(
      (a, b) => mean(b.logprobs!.token_logprobs!) - mean(a.logprobs!.token_logprobs!),
    );
    expect(best.choices.map(({ text }) => text)).toEqual(ranked.slice(0, 2).map(({ text }) => text));
    expect(best.choices.map(({ index }) => index)).toEqual([0, 1]);
    expect(best.usage).toMatchObject({ completion_tokens: 48 });
  });

  it("is refused where it can't be", async () => {
    await expect(client.completions.create({ ...ask, n: 3, best_of: 2 })).rejects.toMatchObject({
      status: 400,
      param: "best_of",
    });
    await expect(client.completions.create({ ...ask, best_of: 2, stream: true })).rejects.toMatchObject({
      status: 400,
      param: "best_of",
    });
  });
});

describe("embeddings", () => {
  it("are vectors of length one, in either encoding and for text or ids", async () => {
    const input = [prompt, "import os"];
    const floats = await client.embeddings.create({ model: "demo", input, encoding_format: "float" });
    // The client asks for base64 by itself, and decodes it.
    const { data } = await client.embeddings.create({ model: "demo", input });
    const ids = input.map((text) => Array.from(server.generator.tokenizer.encode(text)));
    const ofIds = await client.embeddings.create({ model: "demo", input: ids, encoding_format: "float" });
    for (const [i, { embedding }] of floats.data.entries()) {
      expect(Math.hypot(...embedding)).toBeCloseTo(1, 4);
      for (const [j, value] of embedding.entries()) {
        expect(data[i].embedding[j]).toBeCloseTo(value, 5);
        expect(ofIds.data[i].embedding[j]).toBeCloseTo(value, 5);
      }
    }
    expect(floats.usage.prompt_tokens).toBe(ids.flat().length);
  });

  it("hear by name what can't be", async () => {
    const refused = (more: object) => client.embeddings.create({ model: "demo", input: "a", ...more });
    await expect(refused({ dimensions: 7 })).rejects.toMatchObject({ status: 400, param: "dimensions" });
    await expect(refused({ input: [] })).rejects.toMatchObject({ status: 400, param: "input" });
    await expect(refused({ input: "word ".repeat(5000) })).rejects.toMatchObject({
      code: "context_length_exceeded",
      param: "input",
    });
  });
});
