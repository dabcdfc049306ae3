import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { HumanMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAI as CompletionOpenAI } from "@langchain/openai";
import { generateText, jsonSchema, Output, streamText, tool } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer, stepsUntilIdle } from "./testing/demo-server.ts";

let server: DemoServer;
beforeAll(async () => {
  server = await demoServer();
});
afterAll(() => server.app.close());

const schema = {
  type: "object" as const,
  properties: { a: { type: "integer" as const, minimum: 0, maximum: 9 } },
  required: ["a"],
  additionalProperties: false,
};
const prompt = "Write a function.";

describe("the ai package over @ai-sdk/openai-compatible", () => {
  const provider = () =>
    createOpenAICompatible({
      name: "llm",
      baseURL: `${server.address}/v1`,
      supportsStructuredOutputs: true,
      includeUsage: true,
    });
  const common = () => ({ model: provider()("demo"), prompt, temperature: 0, maxRetries: 0 });

  it("streams what it would get whole", async () => {
    const whole = await generateText({ ...common(), maxOutputTokens: 24 });
    const stream = streamText({ ...common(), maxOutputTokens: 24 });
    let text = "";
    for await (const piece of stream.textStream) text += piece;
    expect(text).toBe(whole.text);
    expect(text.length).toBeGreaterThan(10);
    expect((await stream.usage).outputTokens).toBe(24);
    expect(whole.finishReason).toBe("length");
  });

  it("calls tools", async () => {
    const add = tool({ inputSchema: jsonSchema<{ a: number }>(schema) });
    const { toolCalls } = await generateText({
      ...common(),
      maxOutputTokens: 80,
      tools: { add },
      toolChoice: { type: "tool", toolName: "add" },
    });
    expect(toolCalls).toMatchObject([{ toolName: "add", input: { a: expect.any(Number) } }]);
  });

  it("gets objects by a schema", async () => {
    const { output } = await generateText({
      ...common(),
      maxOutputTokens: 60,
      output: Output.object({ schema: jsonSchema<{ a: number }>(schema) }),
    });
    expect(output.a).toBeTypeOf("number");
  });

  it("hears errors, and may leave", async () => {
    const model = provider()("other");
    await expect(generateText({ ...common(), model })).rejects.toMatchObject({ statusCode: 404 });
    const leave = new AbortController();
    const { textStream } = streamText({ ...common(), maxOutputTokens: 400, abortSignal: leave.signal });
    for await (const _ of textStream) leave.abort();
    expect(await stepsUntilIdle(server.generator)).toBeLessThan(200); // of 400
  });
});

describe("@langchain/openai", () => {
  const chat = (more: object = {}) =>
    new ChatOpenAI({
      model: "demo",
      apiKey: "none",
      temperature: 0,
      maxTokens: 24,
      maxRetries: 0,
      configuration: { baseURL: `${server.address}/v1` },
      ...more,
    });

  it("streams what it would get whole", async () => {
    const whole = await chat().invoke([new HumanMessage(prompt)]);
    let text = "";
    for await (const piece of await chat().stream([new HumanMessage(prompt)])) text += piece.text;
    expect(text).toBe(whole.text);
    expect(whole.usage_metadata).toMatchObject({ output_tokens: 24 });
  });

  it("calls tools, in both of OpenAI's interfaces", async () => {
    for (const useResponsesApi of [false, true]) {
      const model = chat({ maxTokens: 80, useResponsesApi }).bindTools(
        [{ type: "function", function: { name: "add", parameters: schema } }],
        { tool_choice: "add" },
      );
      const { tool_calls: calls } = await model.invoke(prompt);
      expect(calls).toMatchObject([{ name: "add", args: { a: expect.any(Number) } }]);
    }
  });

  it("gets objects by a schema, log-probabilities, and completions", async () => {
    const structured = chat({ maxTokens: 60 }).withStructuredOutput(schema, { name: "sum", method: "jsonSchema" });
    expect(await structured.invoke(prompt)).toEqual({ a: expect.any(Number) });
    const { response_metadata } = await chat({ logprobs: true, topLogprobs: 2 }).invoke(prompt);
    expect(response_metadata).toMatchObject({ logprobs: { content: expect.any(Array) } });
    const completion = new CompletionOpenAI({
      model: "demo",
      apiKey: "none",
      temperature: 0,
      maxTokens: 8,
      configuration: { baseURL: `${server.address}/v1` },
    });
    expect((await completion.invoke("def f(")).length).toBeGreaterThan(0);
  });
});
