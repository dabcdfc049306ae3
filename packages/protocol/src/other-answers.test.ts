import type Anthropic from "@anthropic-ai/sdk";
import type OpenAI from "openai";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { AnthropicMessage, MessageEvent } from "./anthropic/answers.ts";
import { messagesRequest } from "./anthropic/requests.ts";
import { chatOfMessages } from "./anthropic/to-chat.ts";
import { chosenFields } from "./llama-server/infill-answer.ts";
import { read } from "./read.ts";
import type { OutputItem, ResponsesUsage } from "./responses/answers.ts";
import { responsesRequest } from "./responses/requests.ts";
import { chatOfResponses } from "./responses/to-chat.ts";

describe("what is sent", () => {
  it("has the types that clients expect", () => {
    expectTypeOf<AnthropicMessage["content"][number]["type"]>().toExtend<Anthropic.ContentBlock["type"]>();
    expectTypeOf<AnthropicMessage["stop_reason"]>().toExtend<Anthropic.Message["stop_reason"]>();
    expectTypeOf<MessageEvent["type"]>().toEqualTypeOf<Anthropic.RawMessageStreamEvent["type"]>();
    expectTypeOf<OutputItem>().toExtend<OpenAI.Responses.ResponseOutputItem>();
    expectTypeOf<ResponsesUsage>().toExtend<OpenAI.Responses.ResponseUsage>();
  });
});

const call = { id: "c1", type: "function", function: { name: "add", arguments: '{"a":1}' } };

describe("a conversation in another form", () => {
  it("becomes the same in the form of chats: Anthropic's", () => {
    const request = read(messagesRequest, {
      model: "m",
      max_tokens: 5,
      system: [{ type: "text", text: "Be brief." }],
      stop_sequences: [],
      tools: [{ name: "add", input_schema: { type: "object" } }],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "one" },
            { type: "text", text: "two" },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "hm", signature: "" },
            { type: "text", text: "ok" },
            { type: "tool_use", id: "c1", name: "add", input: { a: 1 } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "c1", content: "2" },
            { type: "text", text: "so?" },
          ],
        },
      ],
    });
    expect(chatOfMessages(request)).toMatchObject({
      model: "m",
      max_tokens: 5,
      tool_choice: "required",
      parallel_tool_calls: false,
      tools: [{ type: "function", function: { name: "add", parameters: { type: "object" } } }],
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "one\ntwo" },
        { role: "assistant", content: "ok", reasoning_content: "hm", tool_calls: [call] },
        { role: "tool", tool_call_id: "c1", content: "2" },
        { role: "user", content: "so?" },
      ],
    });
    expect(chatOfMessages(request)).not.toHaveProperty("stop");
  });

  it("ends with what the answer is to begin with, where the assistant spoke last", () => {
    const chat = (...messages: object[]) =>
      chatOfMessages(read(messagesRequest, { model: "m", max_tokens: 5, system: [], messages }));
    const user = { role: "user", content: "one" };
    const begun = { role: "assistant", content: '{"name":' };
    expect(chat(user, begun)).toMatchObject({ continue_final_message: true, messages: [user, begun] });
    expect(chat(user)).not.toHaveProperty("continue_final_message");
    // An answer that begins with nothing is any answer.
    const empty = chat(user, { role: "assistant", content: "" });
    expect([empty.messages, "continue_final_message" in empty]).toEqual([[user], false]);
    const call = { type: "tool_use", id: "c1", name: "add", input: {} };
    expect(chat(user, { role: "assistant", content: [call] })).not.toHaveProperty("continue_final_message");
  });

  it.each([
    [[{ role: "user", content: [] }], /'messages\[0\].content' is wrong/],
    [[{ role: "assistant", content: "" }], /nothing in it that could be answered/],
    [[{ role: "assistant", content: [] }], /nothing in it that could be answered/],
  ])("isn't one where nobody has said anything: %j", (messages, reason) => {
    expect(() => chatOfMessages(read(messagesRequest, { model: "m", max_tokens: 5, system: "x", messages }))).toThrow(
      reason,
    );
  });

  it("has one message for what one role says in a row", () => {
    const messages = [
      { role: "user", content: "one" },
      { role: "user", content: "two" },
      { role: "assistant", content: "a" },
      { role: "assistant", content: [{ type: "tool_use", id: "c1", name: "add", input: { a: 1 } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "2" }] },
      { role: "user", content: "three" },
    ];
    expect(chatOfMessages(read(messagesRequest, { model: "m", max_tokens: 5, messages })).messages).toEqual([
      { role: "user", content: "one\ntwo" },
      { role: "assistant", content: "a", tool_calls: [call] },
      { role: "tool", tool_call_id: "c1", content: "2" },
      { role: "user", content: "three" },
    ]);
  });

  it("becomes the same in the form of chats: OpenAI's responses", () => {
    const request = read(responsesRequest, {
      model: "m",
      instructions: "Be brief.",
      tool_choice: { type: "function", name: "add" },
      tools: [{ type: "function", name: "add", parameters: { type: "object" } }],
      text: { format: { type: "json_schema", name: "n", schema: { type: "object" } } },
      input: [
        { role: "user", content: [{ type: "input_text", text: "one" }] },
        { type: "reasoning", id: "rs_1", summary: [], content: [{ type: "reasoning_text", text: "hm" }] },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "ok", annotations: [] }] },
        { type: "function_call", call_id: "c1", name: "add", arguments: '{"a":1}' },
        { type: "function_call_output", call_id: "c1", output: "2" },
      ],
    });
    expect(chatOfResponses(request)).toMatchObject({
      tool_choice: { type: "function", function: { name: "add" } },
      tools: [{ type: "function", function: { name: "add" } }],
      response_format: { type: "json_schema", json_schema: { name: "n", schema: { type: "object" } } },
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "one" },
        { role: "assistant", content: "ok", reasoning_content: "hm", tool_calls: [call] },
        { role: "tool", tool_call_id: "c1", content: "2" },
      ],
    });
  });
});

describe("an infill's chosen fields", () => {
  it("are under the paths they were named by; what isn't there isn't", () => {
    const answer = { content: "x", timings: { prompt_n: 3 } };
    expect(chosenFields(answer, ["timings/prompt_n", "content", "none", "timings/none/x", "toString"])).toEqual({
      "timings/prompt_n": 3,
      content: "x",
    });
    expect(chosenFields(answer, [])).toBe(answer);
  });
});
