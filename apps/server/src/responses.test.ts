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

const ask = { model: "demo", input: "Write a function.", max_output_tokens: 24, temperature: 0 };
const add = {
  type: "function" as const,
  name: "add",
  parameters: { type: "object", properties: { a: { type: "integer", minimum: 0, maximum: 9 } }, required: ["a"] },
  strict: true,
};

describe("the openai client's responses", () => {
  it("come alike whole and streamed, and every event is in its place", async () => {
    const whole = await client.responses.create(ask);
    expect(whole).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
    expect(whole.output_text.length).toBeGreaterThan(10);
    expect(whole.usage).toMatchObject({ output_tokens: 24, total_tokens: whole.usage!.input_tokens + 24 });
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({ ...ask, stream: true })) events.push(event);
    const types = events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);
    expect(types).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.incomplete",
    ]);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
    const text = events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");
    expect(text).toBe(whole.output_text);
  });

  it("say of what was cut off that it isn't whole, when it ends as at the end of all", async () => {
    const tools = { tools: [add], tool_choice: { type: "function" as const, name: "add" } };
    for (const [more, status] of [
      [{}, "incomplete"],
      [{ ...tools, max_output_tokens: 80 }, "completed"],
    ] as const) {
      const events: OpenAI.Responses.ResponseStreamEvent[] = [];
      for await (const event of await client.responses.create({ ...ask, ...more, stream: true })) events.push(event);
      const done = events.flatMap((event) => (event.type === "response.output_item.done" ? [event.item] : []));
      const last = events.at(-1) as OpenAI.Responses.ResponseCompletedEvent;
      expect(done.map((item) => "status" in item && item.status)).toEqual([status]);
      expect(last.response.output).toEqual(done);
    }
  });

  it("call tools, and take their results", async () => {
    const request = {
      ...ask,
      max_output_tokens: 80,
      tools: [add],
      tool_choice: { type: "function" as const, name: "add" },
    };
    const whole = await client.responses.create(request);
    expect(whole.status).toBe("completed");
    const [call] = whole.output;
    expect(call).toMatchObject({ type: "function_call", name: "add", status: "completed" });
    const streamed = await client.responses.stream(request).finalResponse();
    const args = (item: OpenAI.Responses.ResponseOutputItem) => item.type === "function_call" && item.arguments;
    expect(args(streamed.output[0])).toBe(args(call));
    const next = await client.responses.create({
      ...ask,
      instructions: "Be brief.",
      input: [
        { role: "user", content: [{ type: "input_text", text: "Add." }] },
        ...(whole.output as OpenAI.Responses.ResponseInputItem[]),
        { type: "function_call_output", call_id: call.type === "function_call" ? call.call_id : "", output: "7" },
      ],
    });
    expect(next.output_text.length).toBeGreaterThan(0);
  });

  it("have the form that was asked for", async () => {
    const schema = {
      type: "object",
      properties: { n: { type: "integer", minimum: 0, maximum: 99 } },
      required: ["n"],
      additionalProperties: false,
    };
    const { output_text } = await client.responses.create({
      ...ask,
      max_output_tokens: 60,
      text: { format: { type: "json_schema", name: "number", schema } },
    });
    expect(Object.keys(JSON.parse(output_text))).toEqual(["n"]);
  });

  it.each([
    ["store", { store: true }],
    ["previous_response_id", { previous_response_id: "resp_1" }],
    ["background", { background: true }],
    ["reasoning", { reasoning: { effort: "high" } }],
    ["tools[0].type", { tools: [{ type: "web_search" }] }],
    ["input[0].content[0].type", { input: [{ role: "user", content: [{ type: "input_image", image_url: "x" }] }] }],
    ["truncation", { truncation: "auto" }],
  ])("are refused by the name of what can't be had: %s", async (param, more) => {
    await expect(client.responses.create({ ...ask, ...more } as never)).rejects.toMatchObject({ status: 400, param });
  });
});
