import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer, post } from "./testing/demo-server.ts";
import { openaiClient } from "./testing/openai-client.ts";
import { templatedDemo } from "./testing/templated-demo.ts";

const templated = templatedDemo();
let server: DemoServer;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  server = await demoServer({}, 4, {}, templated.folder);
  openai = openaiClient(server);
  anthropic = new Anthropic({ baseURL: server.address, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await server.app.close();
  templated.remove();
});

const system = { role: "system" as const, content: "Be brief." };
const user = { role: "user" as const, content: "Write a function." };

describe("a conversation that the model's template refuses", () => {
  const reason = "the chat template refuses this conversation: no role but user and assistant";
  const refused = { status: 400, type: "invalid_request_error", code: null };

  it.each([
    ["/v1/chat/completions", { messages: [system, user] }, "messages"],
    ["/v1/chat/completions", { messages: [system, user], stream: true }, "messages"],
    ["/v1/responses", { input: [system, user] }, "input"],
    ["/apply-template", { messages: [system, user] }, "messages"],
  ])("is told so, with the template's own reason: %s %j", async (path, body, param) => {
    const response = await post(server.address, path, JSON.stringify({ model: "demo", ...body }));
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: { message: reason, type: "invalid_request_error", param, code: null },
    });
  });

  it("reaches clients as a bad request, which they don't try again", async () => {
    const chat = openai.chat.completions.create({ model: "demo", messages: [user, user] });
    await expect(chat).rejects.toMatchObject({ ...refused, message: /roles must alternate/ });
    const asked = { model: "demo", system: "Be brief.", messages: [user] };
    for (const answer of [
      anthropic.messages.create({ ...asked, max_tokens: 4 }),
      anthropic.messages.countTokens(asked),
    ])
      await expect(answer).rejects.toMatchObject({
        status: 400,
        error: { error: { type: "invalid_request_error", message: reason } },
      });
  });

  it("can't be changed by the template's variables", async () => {
    const asked = { messages: [user], chat_template_kwargs: { messages: [] } };
    const response = await post(server.address, "/apply-template", JSON.stringify(asked));
    expect(await response.json()).toMatchObject({ error: { param: "chat_template_kwargs.messages" } });
  });
});

describe("what is for the template alone", () => {
  it.each([
    [{ documents: [{ text: "secret" }] }, "documents"],
    [{ chat_template_kwargs: { thinking_budget: 5 } }, "chat_template_kwargs.thinking_budget"],
    [{ chat_template_kwargs: { persona: "a pirate" } }, "chat_template_kwargs.persona"],
  ])("is refused where the template never names it: %j", async (more, param) => {
    const ask = { model: "demo", messages: [user], max_tokens: 1, ...more };
    const response = await post(server.address, "/v1/chat/completions", JSON.stringify(ask));
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param } }]);
  });

  it("may be a switch, or nothing", async () => {
    for (const enable_thinking of [true, false]) {
      const more = { chat_template_kwargs: { enable_thinking }, documents: [] };
      const ask = { model: "demo", messages: [user], max_tokens: 1, ...more };
      expect((await post(server.address, "/v1/chat/completions", JSON.stringify(ask))).status).toBe(200);
    }
    const asked = { model: "demo", messages: [user], max_tokens: 1 };
    expect((await anthropic.messages.create({ ...asked, thinking: { type: "disabled" } })).role).toBe("assistant");
  });

  it("is shown to it where it is named", async () => {
    const own = templatedDemo({
      "chat_template.jinja": "{% for d in documents %}{{ d.text }}{% endfor %}{{ mood }}{{ messages[0].content }}",
    });
    const other = await demoServer({}, 4, {}, own.folder);
    try {
      const ask = { messages: [user], documents: [{ text: "facts" }], chat_template_kwargs: { mood: "brief " } };
      const body = { model: "demo", ...ask, max_tokens: 1, return_token_ids: true };
      const response = await post(other.address, "/v1/chat/completions", JSON.stringify(body));
      const { prompt_token_ids: ids } = (await response.json()) as { readonly prompt_token_ids: number[] };
      expect(other.generator.tokenizer.decode(ids)).toBe(`factsbrief ${user.content}`);
    } finally {
      await other.app.close();
      own.remove();
    }
  });
});

describe("tools, where the model's template knows of none", () => {
  const tools = ["add", "now"].map((name) => ({ type: "function" as const, function: { name } }));
  const called = (name: string, given: string) => ({
    id: name,
    type: "function" as const,
    function: { name, arguments: given },
  });
  const promptOf = async (body: object): Promise<string> => {
    const response = await post(server.address, "/apply-template", JSON.stringify(body));
    return ((await response.json()) as { readonly prompt: string }).prompt;
  };
  const calls = [called("add", '{"a":1}'), called("now", "")];
  const results = calls.map(({ id }) => ({ role: "tool" as const, tool_call_id: id, content: `${id}!` }));
  const messages = [user, { role: "assistant" as const, content: null, tool_calls: calls }, ...results, user];
  const history = `${user.content}</user>
<assistant>[{"name":"add","arguments":{"a":1}}, {"name":"now","arguments":{}}]</assistant>
<user>Result of add: add!
Result of now: now!
${user.content}</user>
<assistant>`;

  it("stand in the conversation, with the calls and their results", async () => {
    const prompt = await promptOf({ messages, tools });
    expect(prompt).toMatch(
      /^<user>You can call these functions:\n{"name":"add"}\n{"name":"now"}\nTo call one, answer with nothing but {"name": /,
    );
    expect(prompt.endsWith(`\n\n${history}`)).toBe(true);
    expect(await promptOf({ messages })).toBe(`<user>${history}`);
    const { usage } = await openai.chat.completions.create({ model: "demo", messages, tools, max_tokens: 1 });
    const ids = server.generator.tokenizer.encode(prompt, { addSpecialTokens: false });
    expect(usage!.prompt_tokens).toBe(ids.length);
  });

  it("follow a system message, where there is one", async () => {
    const own = templatedDemo({
      "chat_template.jinja": "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}",
    });
    const other = await demoServer({}, 4, {}, own.folder);
    try {
      const response = await post(
        other.address,
        "/apply-template",
        JSON.stringify({ messages: [system, user], tools }),
      );
      const { prompt } = (await response.json()) as { readonly prompt: string };
      expect(prompt.startsWith(`[system]${system.content}\n\nYou can call these functions:`)).toBe(true);
      expect(prompt.endsWith(`[user]${user.content}`)).toBe(true);
    } finally {
      await other.app.close();
      own.remove();
    }
  });
});

describe("calls, where the template looks at their ids", () => {
  it("are gone on with by the ids that they were given, in every form", async () => {
    // As Mistral's: nine letters, or nothing.
    const own = templatedDemo({
      "chat_template.jinja": `{# tools #}{% for m in messages %}{% for c in m.tool_calls or [] %}{% if c.id|length != 9 %}{{ raise_exception("nine!") }}{% endif %}{% endfor %}
{%- if m.role == "tool" and m.tool_call_id|length != 9 %}{{ raise_exception("nine!") }}{% endif %}[{{ m.role }}]{{ m.content }}{% endfor %}`,
    });
    const other = await demoServer({}, 4, {}, own.folder);
    try {
      const parameters = { type: "object" as const, properties: {}, additionalProperties: false };
      const chat = new OpenAI({ baseURL: `${other.address}/v1`, apiKey: "none", maxRetries: 0 });
      const tools = [{ type: "function" as const, function: { name: "now", parameters } }];
      const ask = {
        model: "demo",
        max_tokens: 60,
        tools,
        tool_choice: "required" as const,
        parallel_tool_calls: false,
      };
      const { message } = (await chat.chat.completions.create({ ...ask, messages: [user] })).choices[0]!;
      const result = { role: "tool" as const, tool_call_id: message.tool_calls![0]!.id, content: "12" };
      const after = { model: "demo", max_tokens: 2, tools, messages: [user, message, result] };
      expect((await chat.chat.completions.create(after)).choices).toHaveLength(1);

      const input = [{ role: "user" as const, content: "Hi" }];
      const functions = [{ type: "function" as const, name: "now", parameters, strict: true }];
      const first = await chat.responses.create({ model: "demo", input, tools: functions, tool_choice: "required" });
      const [call] = first.output as OpenAI.Responses.ResponseFunctionToolCall[];
      const output = { type: "function_call_output" as const, call_id: call!.call_id, output: "12" };
      const second = await chat.responses.create({
        model: "demo",
        input: [...input, call!, output],
        max_output_tokens: 2,
      });
      expect(second.output).toHaveLength(1);

      const claude = new Anthropic({ baseURL: other.address, apiKey: "none", maxRetries: 0 });
      const asked = { model: "demo", max_tokens: 60, tools: [{ name: "now", input_schema: parameters }] };
      const said = await claude.messages.create({ ...asked, messages: [user], tool_choice: { type: "any" } });
      const [use] = said.content as Anthropic.ToolUseBlock[];
      const done = { type: "tool_result" as const, tool_use_id: use!.id, content: "12" };
      const messages = [user, { role: "assistant" as const, content: said.content }, { ...user, content: [done] }];
      expect((await claude.messages.create({ ...asked, messages })).role).toBe("assistant");
    } finally {
      await other.app.close();
      own.remove();
    }
  });
});

describe("a message to Anthropic's form that the answer is to begin with", () => {
  it("is gone on with, whole and streamed, and counted", async () => {
    const begun = { role: "assistant" as const, content: "def add(a, b):" };
    const asked = { model: "demo", messages: [user, user, begun] };
    const prompt = `<user>${user.content}\n${user.content}</user>\n<assistant>${begun.content}`;
    const ask = { ...asked, max_tokens: 12, temperature: 0 };
    const [{ text }] = (await openai.completions.create({ model: "demo", prompt, max_tokens: 12, temperature: 0 }))
      .choices;
    const whole = await anthropic.messages.create(ask);
    expect(whole.content).toMatchObject([{ type: "text", text }]);
    expect((await anthropic.messages.stream(ask).finalMessage()).content).toMatchObject([{ text }]);
    const { input_tokens } = await anthropic.messages.countTokens(asked);
    expect(input_tokens).toBe(server.generator.tokenizer.encode(prompt).length);
  });
});

describe("an answer of which nobody said how long it may be", () => {
  const ask = { messages: [user], ignore_eos: true };
  interface Answer {
    readonly choices: readonly { readonly finish_reason: string }[];
    readonly usage: {
      readonly prompt_tokens: number;
      readonly completion_tokens: number;
      readonly total_tokens: number;
    };
  }
  const answerOf = async ({ address }: DemoServer, body: object): Promise<Answer> => {
    const response = await post(address, "/v1/chat/completions", JSON.stringify({ model: "demo", ...body }));
    return (await response.json()) as Answer;
  };

  it("goes on to the end of the context", async () => {
    const { room } = server.generator.scheduler;
    const content = server.generator.tokenizer.decode(
      server.generator.tokenizer.encode("value = other\n".repeat(room)).slice(0, room - 300),
    );
    const { choices, usage } = await answerOf(server, { ...ask, messages: [{ role: "user", content }] });
    expect([choices[0].finish_reason, usage.total_tokens]).toEqual(["length", room]);
    expect(usage.completion_tokens).toBeGreaterThan(256); // which is what programs get who say nothing
  });

  it("goes on as long as the checkpoint says, where it says so", async () => {
    const own = templatedDemo({ "generation_config.json": JSON.stringify({ max_new_tokens: 300 }) });
    const other = await demoServer({}, 4, {}, own.folder);
    try {
      expect((await answerOf(other, ask)).usage.completion_tokens).toBe(300);
      expect((await answerOf(other, { ...ask, max_tokens: 7 })).usage.completion_tokens).toBe(7);
      const { room } = other.generator.scheduler;
      expect((await answerOf(other, { ...ask, max_tokens: -1 })).usage.total_tokens).toBe(room);
    } finally {
      await other.app.close();
      own.remove();
    }
  });
});
