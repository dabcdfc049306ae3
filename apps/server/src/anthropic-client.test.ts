import Anthropic from "@anthropic-ai/sdk";
import { jsonSchemaOutputFormat } from "@anthropic-ai/sdk/helpers/json-schema";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer, stepsUntilIdle } from "./testing/demo-server.ts";

let server: DemoServer;
let client: Anthropic;

beforeAll(async () => {
  server = await demoServer();
  client = new Anthropic({ baseURL: server.address, apiKey: "none", maxRetries: 0 });
});
afterAll(() => server.app.close());

const ask = {
  model: "demo",
  max_tokens: 24,
  temperature: 0,
  system: [{ type: "text" as const, text: "You write Python.", cache_control: { type: "ephemeral" as const } }],
  messages: [{ role: "user" as const, content: "Write a function." }],
};
const add = {
  name: "add",
  description: "Adds",
  input_schema: {
    type: "object" as const,
    properties: { a: { type: "integer", minimum: 0, maximum: 9 } },
    required: ["a"],
  },
};

describe("the anthropic client", () => {
  it("gets a message, alike whole and streamed", async () => {
    const whole = await client.messages.create(ask);
    expect(whole).toMatchObject({ type: "message", role: "assistant", stop_reason: "max_tokens" });
    const [block] = whole.content;
    expect(block).toMatchObject({ type: "text" });
    const stream = client.messages.stream(ask);
    let heard = "";
    stream.on("text", (text) => (heard += text));
    const streamed = await stream.finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(heard).toBe(block.type === "text" && block.text);
    const total = ({ input_tokens, cache_read_input_tokens }: Anthropic.Usage) =>
      input_tokens + (cache_read_input_tokens ?? 0);
    expect(total(streamed.usage)).toBe(total(whole.usage));
    expect(streamed.usage.output_tokens).toBe(24);
    // What the first had computed was there for the second.
    expect(streamed.usage.cache_read_input_tokens).toBeGreaterThan(0);
    expect(
      (await client.messages.countTokens({ model: "demo", messages: ask.messages, system: ask.system })).input_tokens,
    ).toBe(total(whole.usage));
  });

  it("is told which text ended the answer", async () => {
    const whole = await client.messages.create(ask);
    const text = whole.content[0].type === "text" ? whole.content[0].text : "";
    const stop = text.slice(8, 12);
    const { content, stop_reason, stop_sequence } = await client.messages.create({
      ...ask,
      stop_sequences: ["\u0001", stop],
    });
    expect([stop_reason, stop_sequence]).toEqual(["stop_sequence", stop]);
    expect(content[0]).toMatchObject({ text: text.slice(0, text.indexOf(stop)) });
  });

  it("gets calls of tools, whole and in pieces, and may give their results", async () => {
    const request = { ...ask, max_tokens: 80, tools: [add], tool_choice: { type: "tool" as const, name: "add" } };
    const whole = await client.messages.create(request);
    expect(whole.stop_reason).toBe("tool_use");
    const [call] = whole.content.filter((block) => block.type === "tool_use");
    expect(call).toMatchObject({ name: "add", input: { a: expect.any(Number) } });
    const streamed = await client.messages.stream(request).finalMessage();
    expect(streamed.content).toMatchObject([{ type: "tool_use", name: "add", input: call.input }]);
    const next = await client.messages.create({
      ...ask,
      tools: [add],
      messages: [
        ...ask.messages,
        { role: "assistant", content: whole.content },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: call.id, content: "7" },
            { type: "text", text: "So?" },
          ],
        },
      ],
    });
    expect(next.content.length).toBeGreaterThan(0);
  });

  it("gets an object by its schema, parsed, and may send that back", async () => {
    const format = jsonSchemaOutputFormat(add.input_schema as never);
    const asked = { ...ask, max_tokens: 60, output_config: { format } };
    const message = await client.messages.parse(asked);
    expect(message.parsed_output).toEqual({ a: expect.any(Number) });
    const messages = [...ask.messages, { role: "assistant" as const, content: message.content }, ...ask.messages];
    expect((await client.messages.create({ ...ask, messages, max_tokens: 1 })).content).toHaveLength(1);
  });

  it("may mark all that it sends for its cache, and knows the id of each request", async () => {
    const cached = { ...ask, cache_control: { type: "ephemeral" as const } };
    const message = await client.messages.create({ ...cached, max_tokens: 1 });
    expect(message._request_id).toMatch(/^req_/);
    const { max_tokens: _, temperature: __, ...counted } = cached;
    expect((await client.messages.countTokens(counted)).input_tokens).toBeGreaterThan(0);
    const refused = await client.messages.create({ ...ask, model: "other" }).catch((error) => error);
    expect(refused.requestID).toMatch(/^req_/);
  });

  it("hears what is wrong, in its own words for it", async () => {
    const refused = (more: object) => client.messages.create({ ...ask, ...more } as never);
    await expect(refused({ model: "other" })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(refused({ max_tokens: undefined })).rejects.toMatchObject({ status: 400, message: /max_tokens/ });
    await expect(refused({ thinking: { type: "enabled", budget_tokens: 2000 } })).rejects.toMatchObject({
      status: 400,
      error: { type: "error", error: { type: "invalid_request_error", message: expect.stringContaining("thinking") } },
    });
    await expect(refused({ container: "x" })).rejects.toThrow(/container/);
    await expect(
      refused({ messages: [{ role: "user", content: "word ".repeat(5000) }], stream: true }),
    ).rejects.toBeInstanceOf(Anthropic.BadRequestError);
  });

  it("may leave in the middle", async () => {
    const stream = client.messages.stream({ ...ask, max_tokens: 400, temperature: 1 });
    const ended = stream.finalMessage().catch((error: Error) => error);
    await new Promise((resolve) => stream.once("text", resolve));
    stream.abort();
    expect(await ended).toBeInstanceOf(Anthropic.APIUserAbortError);
    expect(await stepsUntilIdle(server.generator)).toBeLessThan(200); // of 400
  });
});
