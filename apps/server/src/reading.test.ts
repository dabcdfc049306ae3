import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoServer, demoServer, post } from "./testing/demo-server.ts";
import { openaiClient } from "./testing/openai-client.ts";

let server: DemoServer;
let client: OpenAI;
beforeAll(async () => {
  server = await demoServer();
  client = openaiClient(server);
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

  it("are counted as what is read", async () => {
    const counted = async (name: string): Promise<number> => {
      const text = await (await fetch(`${server.address}/metrics`)).text();
      return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1] ?? 0);
    };
    const names = [
      'vllm:prompt_tokens_total{model_name="demo"}',
      'vllm:e2e_request_latency_seconds_count{model_name="demo"}',
    ];
    const all = () => Promise.all(names.map((name) => counted(name.replaceAll(/[{}]/g, "\\$&"))));
    const before = await all();
    const { usage } = await client.embeddings.create({ model: "demo", input: ["import os", "x"] });
    const after = await all();
    expect(after.map((count, i) => count - before[i])).toEqual([usage.prompt_tokens, 2]);
  });

  it("hear by name what can't be, before anything is computed", async () => {
    const refused = (more: object) => client.embeddings.create({ model: "demo", input: "a", ...more });
    const embed = vi.spyOn(server.generator, "embed");
    await expect(refused({ dimensions: 7 })).rejects.toMatchObject({ status: 400, param: "dimensions" });
    expect(embed).not.toHaveBeenCalled();
    embed.mockRestore();
    await expect(refused({ input: [] })).rejects.toMatchObject({ status: 400, param: "input" });
    await expect(refused({ input: "word ".repeat(5000) })).rejects.toMatchObject({
      code: "context_length_exceeded",
      param: "input",
    });
  });
});

describe("a text that is too long", () => {
  const long = "word ".repeat(5000);
  const messages = [{ role: "user", content: long }];
  it.each([
    ["/v1/completions", { prompt: long }, "prompt", true],
    ["/v1/chat/completions", { messages }, "messages", true],
    ["/v1/responses", { input: long }, "input", false],
    ["/v1/embeddings", { input: long }, "input", false],
    ["/v1/messages", { messages, max_tokens: 1 }, undefined, false],
  ])("may be cut off where there is a field for that, which is named: %s", async (path, body, param, remedy) => {
    const ask = async (more: object) => {
      const response = await post(server.address, path, JSON.stringify({ model: "demo", ...body, ...more }));
      return {
        status: response.status,
        ...((await response.json()) as { error?: { message: string; param?: string } }),
      };
    };
    const { status, error } = await ask({});
    expect([status, error!.param]).toEqual([400, param]);
    expect(error!.message).toMatch(/Shorten it by \d+/);
    expect(error!.message.includes("truncate_prompt")).toBe(remedy);
    expect((await ask({ truncate_prompt: "left" })).status).toBe(remedy ? 200 : 400);
  });
});
