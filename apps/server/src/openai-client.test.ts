import { Generator } from "@llm/toolchain";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer } from "./server.ts";

const app = createServer({ models: [{ id: "demo", open: () => Generator.fromPretrained("demo", { batchSize: 4 }) }] });
let client: OpenAI;

beforeAll(async () => {
  client = new OpenAI({
    baseURL: `${await app.listen({ port: 0, host: "127.0.0.1" })}/v1`,
    apiKey: "none",
    maxRetries: 0,
  });
});
afterAll(() => app.close());

const prompt = "def fibonacci(n):";
const user = [{ role: "user" as const, content: "Write a function." }];

describe("the openai client", () => {
  it("completes, alike whole and streamed", async () => {
    const whole = await client.completions.create({ model: "demo", prompt, max_tokens: 24, temperature: 0 });
    expect(whole.choices[0].text.length).toBeGreaterThan(10);
    expect(whole.usage).toMatchObject({ completion_tokens: 24 });
    let text = "";
    let usage: unknown;
    const stream = await client.completions.create({
      model: "demo",
      prompt,
      max_tokens: 24,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) {
      text += chunk.choices[0]?.text ?? "";
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe(whole.choices[0].text);
    expect(usage).toMatchObject({ completion_tokens: 24 });
  });

  it("gets several answers to several prompts, in order", async () => {
    const { choices } = await client.completions.create({
      model: "demo",
      prompt: ["a", "b"],
      n: 2,
      max_tokens: 4,
      temperature: 1,
      seed: 7,
    });
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    const again = await client.completions.create({
      model: "demo",
      prompt: ["a", "b"],
      n: 2,
      max_tokens: 4,
      temperature: 1,
      seed: 7,
    });
    expect(again.choices.map(({ text }) => text)).toEqual(choices.map(({ text }) => text));
    expect(choices[0].text).not.toBe(choices[1].text);
  });

  it("chats, with log-probabilities", async () => {
    const { choices } = await client.chat.completions.create({
      model: "demo",
      messages: user,
      max_completion_tokens: 8,
      logprobs: true,
      top_logprobs: 2,
    });
    expect(choices[0].message.role).toBe("assistant");
    const { content } = choices[0].logprobs!;
    expect(content).toHaveLength(8);
    expect(content![0].top_logprobs).toHaveLength(2);
    expect(content![0].logprob).toBeLessThanOrEqual(content![0].top_logprobs[0].logprob);
  });

  it("gets the same with a guess of what it will be", async () => {
    const ask = { model: "demo", messages: user, max_tokens: 24, temperature: 0 };
    const plain = await client.chat.completions.create(ask);
    const { content } = plain.choices[0].message;
    const guessed = await client.chat.completions.create({
      ...ask,
      prediction: { type: "content", content: content! },
    });
    expect(guessed.choices[0].message.content).toBe(content);
  });

  it("gets JSON by a schema", async () => {
    const schema = {
      type: "object",
      properties: { name: { type: "string", maxLength: 8 }, age: { type: "integer", maximum: 99, minimum: 0 } },
      required: ["name", "age"],
      additionalProperties: false,
    };
    const { choices } = await client.chat.completions.create({
      model: "demo",
      messages: user,
      max_tokens: 60,
      response_format: { type: "json_schema", json_schema: { name: "person", schema, strict: true } },
    });
    expect(Object.keys(JSON.parse(choices[0].message.content!))).toEqual(["name", "age"]);
  });

  it("gets tool calls, alike whole and streamed in pieces", async () => {
    const request = {
      model: "demo",
      messages: user,
      max_tokens: 80,
      temperature: 0,
      tools: [
        {
          type: "function" as const,
          function: {
            name: "add",
            parameters: {
              type: "object",
              properties: { a: { type: "integer", maximum: 9, minimum: 0 } },
              required: ["a"],
            },
          },
        },
      ],
      tool_choice: { type: "function" as const, function: { name: "add" } },
    };
    const { choices } = await client.chat.completions.create(request);
    expect(choices[0].finish_reason).toBe("tool_calls");
    const [call] = choices[0].message.tool_calls!;
    expect(call).toMatchObject({ type: "function", function: { name: "add" } });
    const args = call.type === "function" ? call.function.arguments : "";
    expect(JSON.parse(args).a).toBeTypeOf("number");
    const final = await client.chat.completions.stream(request).finalChatCompletion();
    expect(final.choices[0].message.tool_calls?.[0]).toMatchObject({ function: { name: "add", arguments: args } });
  });

  it("hears what is wrong", async () => {
    const ask = (body: object) => client.chat.completions.create({ model: "demo", messages: user, ...body } as never);
    await expect(ask({ model: "other" })).rejects.toMatchObject({ status: 404, code: "model_not_found" });
    await expect(ask({ reasoning_effort: "high" })).rejects.toMatchObject({ status: 400, param: "reasoning_effort" });
    await expect(ask({ messages: [{ role: "user", content: "word ".repeat(5000) }] })).rejects.toMatchObject({
      status: 400,
      code: "context_length_exceeded",
      param: "messages",
    });
    await expect(client.post("/nothing")).rejects.toMatchObject({ status: 404 });
  });

  it("may leave in the middle: nothing goes on for it", async () => {
    const stream = (await client.completions.create({
      model: "demo",
      prompt,
      max_tokens: 200,
      stream: true,
      ignore_eos: true,
    } as never)) as unknown as AsyncIterable<unknown> & { controller: AbortController };
    for await (const _ of stream) break;
    stream.controller.abort();
    const { text } = (await client.completions.create({ model: "demo", prompt, max_tokens: 4 })).choices[0];
    expect(text.length).toBeGreaterThan(0);
  });
});
