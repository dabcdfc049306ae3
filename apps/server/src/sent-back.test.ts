import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer } from "./testing/demo-server.ts";
import { openaiClient } from "./testing/openai-client.ts";

let server: DemoServer;
let client: OpenAI;
beforeAll(async () => {
  server = await demoServer();
  client = openaiClient(server);
});
afterAll(() => server.app.close());

const user = { role: "user" as const, content: "Write a function." };
const parameters = {
  type: "object" as const,
  properties: { a: { type: "integer" as const, minimum: 0, maximum: 9 } },
  required: ["a"],
  additionalProperties: false,
};
const tool = { type: "function" as const, function: { name: "add", strict: true, parameters } };
const ask = { model: "demo", messages: [user], max_tokens: 60, temperature: 0 };
const called = { ...ask, tools: [tool], tool_choice: "required" as const, parallel_tool_calls: false };

type Said = OpenAI.Chat.ChatCompletionMessage;

/** The conversation goes on with what the client gave for an answer, just as it gave it. */
async function goesOnWith(message: Said): Promise<void> {
  const result = (message.tool_calls ?? []).map(({ id }) => ({
    role: "tool" as const,
    tool_call_id: id,
    content: "3",
  }));
  const messages = [user, message, ...(result.length > 0 ? result : [user])];
  const { choices } = await client.chat.completions.create({ ...ask, messages, max_tokens: 1 });
  expect(choices).toHaveLength(1);
}

describe("an answer as OpenAI's client hands it out is taken back", () => {
  const format = { type: "json_schema" as const, json_schema: { name: "sum", schema: parameters, strict: true } };

  it.each([
    ["text", { ...ask, choice: ["def f(): pass"] }],
    ["calls", called],
    ["an object", { ...ask, response_format: format }],
  ])("parsed: %s", async (_, body) => {
    const { message } = (await client.chat.completions.parse(body)).choices[0]!;
    expect(message).toHaveProperty("parsed");
    await goesOnWith(message);
  });

  it.each([
    ["text", ask],
    ["calls", called],
  ])("streamed: %s", async (_, body) => {
    const stream = client.chat.completions.stream(body);
    expect(await stream.finalMessage()).toHaveProperty("parsed");
    await goesOnWith(await stream.finalMessage());
    const { choices } = await client.chat.completions.stream(body).finalChatCompletion();
    await goesOnWith(choices[0]!.message);
  });

  it("with every field of the official type", async () => {
    const message = { role: "assistant" as const, content: "x", refusal: null, audio: null, function_call: null };
    await goesOnWith({ ...message, annotations: [] } as unknown as Said);
    await goesOnWith({ ...message, annotations: null, tool_calls: null } as unknown as Said);
  });

  it("by its own loop of tools", async () => {
    const add = { name: "add", description: "", parameters, parse: JSON.parse, function: () => "3" };
    const run = client.chat.completions.runTools(
      {
        ...ask,
        tools: [{ type: "function", function: add }],
        tool_choice: { type: "function", function: { name: "add" } },
      },
      { maxChatCompletions: 2 },
    );
    expect(await run.finalFunctionToolCallResult()).toBe("3");
  });

  it("as items", async () => {
    const functions = [{ type: "function" as const, name: "add", strict: true, parameters }];
    const input = [user];
    for (const more of [{}, { tools: functions, tool_choice: "required" as const, parallel_tool_calls: false }]) {
      const said = await client.responses.parse({ model: "demo", input, max_output_tokens: 60, ...more });
      const results = said.output.flatMap((item) =>
        item.type === "function_call"
          ? [{ type: "function_call_output" as const, call_id: item.call_id, output: "3" }]
          : [],
      );
      const again = { model: "demo", input: [...input, ...said.output, ...results, user], max_output_tokens: 1 };
      expect((await client.responses.create(again as never)).object).toBe("response");
    }
  });
});

it("takes the type that older evaluation harnesses write beside the content", async () => {
  const messages = [{ ...user, type: "text" }];
  expect((await client.chat.completions.create({ ...ask, messages, max_tokens: 1 })).choices).toHaveLength(1);
});
