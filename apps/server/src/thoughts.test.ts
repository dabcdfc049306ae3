import { readFileSync } from "node:fs";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { demoModelFolder } from "@llm/demo-model";
import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer } from "./testing/demo-server.ts";
import { openaiClient } from "./testing/openai-client.ts";
import { templatedDemo } from "./testing/templated-demo.ts";

/** Control tokens that the demo has no use for, as the marks of a model that thinks and calls. */
const MARKS: Readonly<Record<string, string>> = {
  "<jupyter_start>": "[THINK]",
  "<jupyter_text>": "[/THINK]",
  "<jupyter_code>": "[TOOL_CALLS]",
  "<jupyter_output>": "[ARGS]",
};
const marked = (name: string): string =>
  Object.entries(MARKS).reduce(
    (text, [token, mark]) => text.replaceAll(token, mark),
    readFileSync(join(demoModelFolder, name), "utf8"),
  );
/** As Magistral's: the prompt opens the thoughts. */
const TEMPLATE = `{# tools: [TOOL_CALLS] … [ARGS] … [/THINK] #}{% for message in messages %}{{ message.content }}
{% endfor %}{% if add_generation_prompt and enable_thinking is not false %}[THINK]{% endif %}`;

const thinking = templatedDemo({
  "chat_template.jinja": TEMPLATE,
  "tokenizer.json": marked("tokenizer.json"),
  "tokenizer_config.json": marked("tokenizer_config.json"),
  "special_tokens_map.json": marked("special_tokens_map.json"),
});
let server: DemoServer;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  server = await demoServer({}, 4, {}, thinking.folder);
  openai = openaiClient(server);
  anthropic = new Anthropic({ baseURL: server.address, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await server.app.close();
  thinking.remove();
});

const messages = [{ role: "user" as const, content: "def f(" }];
const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
const parameters = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
const asked = { model: "demo", messages, max_completion_tokens: 60 };

describe("a model whose template opens its thoughts", () => {
  it("gives the form in the content, and its thoughts beside it", async () => {
    const { choices } = await openai.chat.completions.create({
      ...asked,
      response_format: { type: "json_schema", json_schema: { name: "ok", schema } },
    });
    const { content, ...message } = choices[0]!.message;
    expect(JSON.parse(content!)).toEqual({ ok: expect.any(Boolean) });
    const thoughts = (message as { reasoning_content?: string }).reasoning_content;
    expect(thoughts).toEqual(expect.stringMatching(/\w/));
    expect(thoughts).not.toContain("THINK]");
    expect(choices[0]!.finish_reason).toBe("stop");
  });

  it("calls what must be called, alike whole and streamed", async () => {
    const body = {
      ...asked,
      temperature: 0,
      tools: [{ type: "function" as const, function: { name: "add", parameters } }],
      tool_choice: "required" as const,
      parallel_tool_calls: false,
    };
    const { choices } = await openai.chat.completions.create(body);
    expect(choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
    const [call] = choices[0]!.message.tool_calls!;
    expect(call).toMatchObject({ function: { name: "add" } });
    const given = (call as { function: { arguments: string } }).function.arguments;
    expect(JSON.parse(given)).toEqual({ a: expect.any(Number) });
    const streamed = await openai.chat.completions.stream(body).finalChatCompletion();
    expect(streamed.choices[0]!.message.tool_calls![0]).toMatchObject({ function: { name: "add", arguments: given } });
  });

  it("has called where its length ends it behind a call that others could have followed", async () => {
    const body = {
      ...asked,
      temperature: 0,
      tools: [{ type: "function" as const, function: { name: "add", parameters } }],
      tool_choice: "required" as const,
    };
    const streamed = await openai.chat.completions.stream(body).finalChatCompletion(); // throws where it was cut off
    const whole = await openai.chat.completions.create(body);
    for (const { choices, usage } of [streamed, whole]) {
      expect(choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { tool_calls: [{}] } });
      expect(usage?.completion_tokens ?? 60).toBe(60);
    }
    const message = await anthropic.messages.create({
      model: "demo",
      max_tokens: 60,
      messages,
      tools: [{ name: "add", input_schema: parameters as Anthropic.Tool.InputSchema }],
      tool_choice: { type: "any" },
    });
    expect(message.stop_reason).toBe("tool_use");
    const response = await openai.responses.create({
      model: "demo",
      temperature: 0,
      input: messages,
      max_output_tokens: 60,
      tools: [{ type: "function", name: "add", parameters, strict: true }],
      tool_choice: "required",
    });
    expect(response.status).toBe("completed");
  });

  it("is found to call where it may and does: its mark is a control token", async () => {
    const bias = Object.fromEntries(
      ["[/THINK]", "[TOOL_CALLS]"].map((mark) => [String(server.generator.tokenizer.tokenToId(mark)), 18]),
    );
    const { choices } = await openai.chat.completions.create({
      ...asked,
      temperature: 1,
      seed: 5,
      logit_bias: bias,
      tools: [{ type: "function", function: { name: "add", parameters, strict: true } }],
    });
    const text = choices[0]!.message.content ?? "";
    expect(choices[0]!.message.tool_calls?.[0]).toMatchObject({ function: { name: "add" } });
    expect(text).not.toContain("[");
  });

  it("opens none where they are disabled in Anthropic's form", async () => {
    const said = { model: "demo", messages };
    const { input_tokens: all } = await anthropic.messages.countTokens(said);
    const { input_tokens } = await anthropic.messages.countTokens({ ...said, thinking: { type: "disabled" } });
    expect(input_tokens).toBe(all - 1);
  });

  it("does so in the other forms of the protocol", async () => {
    const { output } = await openai.responses.create({
      model: "demo",
      input: messages,
      max_output_tokens: 60,
      text: { format: { type: "json_schema", name: "ok", schema } },
    });
    expect(output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    const { content } = await anthropic.messages.create({
      model: "demo",
      max_tokens: 60,
      messages,
      tools: [{ name: "add", input_schema: parameters as Anthropic.Tool.InputSchema }],
      tool_choice: { type: "any" },
    });
    expect(content.map(({ type }) => type)).toEqual(["thinking", "tool_use"]);
  });
});
