import { describe, expect, it } from "vitest";
import { ApiError } from "./api-error.ts";
import { chatRequest } from "./openai/chat.ts";
import { completionRequest } from "./openai/completions.ts";
import { samplingOf } from "./openai/sampling.ts";
import { read } from "./read.ts";
import { responsesRequest } from "./responses/requests.ts";

function errorOf(run: () => unknown): ReturnType<ApiError["toBody"]>["error"] & { status: number } {
  try {
    run();
  } catch (error) {
    if (ApiError.isInstance(error)) return { ...error.toBody().error, status: error.status };
    throw error;
  }
  throw new Error("nothing was refused");
}

const user = { role: "user", content: "Hello" };

describe("a request", () => {
  it.each([
    [{ model: "m" }, "messages"],
    [{ model: "m", messages: [] }, "messages"],
    [{ model: "m", messages: [{ role: "user" }] }, "messages[0].content"],
    [{ model: "m", messages: [{ role: "robot", content: "" }] }, "messages[0].role"],
    [
      { model: "m", messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      "messages[0].content[0].type",
    ],
    [{ model: "m", messages: [user], temperature: 3 }, "temperature"],
    [{ model: "m", messages: [user], temperature: "1" }, "temperature"],
    [{ model: "m", messages: [user], top_logprobs: 50 }, "top_logprobs"],
    [{ model: "m", messages: [user], web_search_options: {} }, "web_search_options"],
    [{ model: "m", messages: [user], stream_options: { include_usage: true, every: 1 } }, "stream_options.every"],
    [{ model: "m", messages: [user], logit_bias: { hello: 1 } }, "logit_bias.hello"],
    [{ model: "m", messages: [user], store: true }, "store"],
    [{ model: "m", messages: [user], response_format: { type: "xml" } }, "response_format.type"],
    [{ model: "m", messages: [user], tool_choice: "maybe" }, "tool_choice"],
    [{ model: "m", messages: [user], chat_template_kwargs: { tools: [] } }, "chat_template_kwargs.tools"],
    [{ model: "m", messages: [user], response_format: { type: "json_object" }, regex: "a" }, "regex"],
  ])("is refused with a 400 that names the field: %j", (body, param) => {
    const error = errorOf(() => read(chatRequest, body));
    expect(error).toMatchObject({ status: 400, type: "invalid_request_error", param });
    expect(error.message).toContain(param);
    expect(Object.keys(error).sort()).toEqual(["code", "message", "param", "status", "type"]);
  });

  it.each([[null], [[]], ["text"], [3], [undefined]])("that is no object is refused: %j", (body) => {
    expect(errorOf(() => read(chatRequest, body))).toMatchObject({ status: 400, param: null });
  });

  it.each([
    [chatRequest, { model: "m" }, "'messages' is missing"],
    [chatRequest, { model: "m", messages: [{ role: "user" }] }, "'messages[0].content' is missing"],
    [completionRequest, { prompt: "x" }, "'model' is missing"],
    [completionRequest, { model: "m", prompt: [] }, "'prompt' is wrong: Too small: expected array to have >=1 items"],
    [
      completionRequest,
      { model: "m", prompt: "x", logit_bias: { a: 1 } },
      "'logit_bias.a' is wrong: a token id is a whole number",
    ],
    [completionRequest, { model: "m", prompt: true }, "'prompt' is wrong: Invalid input: expected string or array"],
    [chatRequest, [], "The request's body must be a JSON object, and is an array"],
    [chatRequest, null, "The request's body must be a JSON object, and is null"],
  ])("hears what is wrong with it: %#", (schema, body, message) => {
    expect(errorOf(() => read(schema, body)).message).toBe(message);
  });

  it("may leave anything optional out, or say null", () => {
    const body = { model: "m", messages: [user], temperature: null, tools: null, stream: null };
    expect(read(chatRequest, body).messages).toEqual([user]);
  });

  it.each([
    { reasoning_effort: null, verbosity: null, audio: null, moderation: null, prompt_cache_retention: null },
    { messages: [user, { role: "assistant", content: "x", audio: null, function_call: null }, user] },
    { tools: [{ type: "function", function: { name: "f", other: null }, cache: null }] },
    { messages: [{ role: "user", content: [{ type: "text", text: "x", cache_control: null }] }], new: null },
  ])("asks for nothing by null in a field that isn't known: %j", (more) => {
    const body = { model: "m", messages: [user], ...more };
    expect(JSON.stringify(read(chatRequest, structuredClone(body)))).not.toMatch(/null|new|cache/);
    const saying = JSON.parse(JSON.stringify(body).replaceAll("null", "1"));
    expect(errorOf(() => read(chatRequest, saying))).toMatchObject({ status: 400 });
  });

  it("asks for nothing by null in a Responses field that isn't offered", () => {
    const nulls = { reasoning: null, conversation: null, prompt: null, max_tool_calls: null, top_logprobs: null };
    const body = { model: "m", input: "x", ...nulls, context_management: null, text: { verbosity: null } };
    expect(read(responsesRequest, body)).toEqual({ model: "m", input: "x", text: {} });
  });

  it.each(["one", ["one", "two"], [1, 2], [[1], [2, 3]]])("takes every form of prompt: %j", (prompt) => {
    expect(read(completionRequest, { model: "m", prompt }).prompt).toEqual(prompt);
  });

  it("gives the engine its options by the engine's names, without what was not said", () => {
    const body = read(completionRequest, { model: "m", prompt: "x", top_p: 0.5, stop: ["a"], min_p: null, seed: 0 });
    expect(samplingOf(body)).toEqual({ topP: 0.5, stop: ["a"], seed: 0 });
  });
});
