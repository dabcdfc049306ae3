import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer, post } from "./testing/demo-server.ts";
import { openaiClient } from "./testing/openai-client.ts";

let server: DemoServer;
let client: OpenAI;
beforeAll(async () => {
  server = await demoServer();
  client = openaiClient(server);
});
afterAll(() => server.app.close());

interface Choice {
  readonly index: number;
  readonly text: string;
  readonly finish_reason: string | null;
  readonly token_ids?: number[];
  readonly prompt_token_ids?: number[];
  readonly logprobs?: { readonly text_offset: number[] } | null;
}
interface Body {
  readonly choices: readonly Choice[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
}

const common = { model: "demo", temperature: 0 };
const messages = [{ role: "user" as const, content: "Write a function." }];
const ids = (text: string): number[] => Array.from(server.generator.tokenizer.encode(text));

async function json(path: string, body: object): Promise<Body & { readonly error?: { readonly param: string } }> {
  return (await post(server.address, path, JSON.stringify({ ...common, ...body }))).json() as never;
}

async function events(path: string, body: object): Promise<Body[]> {
  const response = await post(server.address, path, JSON.stringify({ ...common, ...body, stream: true }));
  const lines = (await response.text()).split("\n\n").filter(Boolean);
  expect(lines.pop()).toBe("data: [DONE]");
  return lines.map((line) => JSON.parse(line.slice("data: ".length)));
}

const textsOf = (chunks: readonly Body[], count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    chunks.flatMap(({ choices }) => choices.flatMap((each) => (each.index === i ? [each.text] : []))).join(""),
  );

describe("completions that are asked for in unusual ways", () => {
  it("go on with several lists of ids, several times each, streamed as they are whole", async () => {
    const body = { prompt: [ids("def a("), ids("import os\n")], n: 2, max_tokens: 12, temperature: 0.9, seed: 3 };
    const whole = await json("/v1/completions", { ...body, echo: true });
    const streamed = await events("/v1/completions", { ...body, echo: true, stream_options: { include_usage: true } });
    expect(whole.choices).toHaveLength(4);
    expect(textsOf(streamed, 4)).toEqual(whole.choices.map(({ text }) => text));
    expect(whole.choices[3].text.startsWith("import os\n")).toBe(true);
    expect(streamed.at(-1)).toMatchObject({
      choices: [],
      usage: { completion_tokens: whole.usage!.completion_tokens },
    });
    expect(whole.usage!.prompt_tokens).toBe(ids("def a(").length + ids("import os\n").length);
  });

  it("tell in every piece how many tokens there are so far, where that is asked", async () => {
    const chunks = await events("/v1/completions", {
      prompt: ["def a(", "x"],
      max_tokens: 9,
      ignore_eos: true,
      stream_options: { include_usage: true, continuous_usage_stats: true },
    });
    const prompt = ids("def a(").length + ids("x").length;
    const said = chunks.map(({ usage }) => usage!.completion_tokens);
    expect(new Set(chunks.map(({ usage }) => usage!.prompt_tokens))).toEqual(new Set([prompt]));
    expect(said).toEqual(said.toSorted((a, b) => a - b));
    expect([said[0] > 0, said.at(-1)]).toEqual([true, 18]);
  });

  it("come with their ids, whole and in pieces", async () => {
    const body = { prompt: "def a(", max_tokens: 10, return_token_ids: true };
    const [whole] = (await json("/v1/completions", body)).choices;
    expect(whole.prompt_token_ids).toEqual(ids("def a("));
    expect(server.generator.tokenizer.decode(whole.token_ids!)).toBe(whole.text);
    const pieces = (await events("/v1/completions", body)).flatMap(({ choices }) => choices);
    expect(pieces.flatMap(({ token_ids = [] }) => token_ids)).toEqual(whole.token_ids);
    expect(pieces.flatMap(({ prompt_token_ids }) => (prompt_token_ids ? [prompt_token_ids] : []))).toEqual([
      ids("def a("),
    ]);
  });

  it("tell where each token begins, also where a text is held back that may be a stop", async () => {
    const body = { prompt: "def fibonacci(n):", max_tokens: 60, ignore_eos: true, logprobs: 0 };
    const [{ text, logprobs }] = (await json("/v1/completions", body)).choices;
    const stop = Array.from({ length: 6 }, (_, i) => `${text.slice(8 * i, 8 * i + 8)}\u0001`);
    const chunks = await events("/v1/completions", { ...body, stop });
    expect(textsOf(chunks, 1)).toEqual([text]);
    const offsets = chunks.flatMap(({ choices }) => choices[0]?.logprobs?.text_offset ?? []);
    expect(offsets).toEqual(logprobs!.text_offset);
  });

  it("follow biases, by which a token is certain or impossible", async () => {
    const [{ text }] = (await json("/v1/completions", { prompt: "x = ", max_tokens: 5 })).choices;
    const [first] = server.generator.tokenizer.encode(text, { addSpecialTokens: false });
    const banned = await json("/v1/completions", { prompt: "x = ", max_tokens: 5, logit_bias: { [first]: -100 } });
    expect(banned.choices[0].text.startsWith(text.slice(0, 1))).toBe(false);
    const [forced] = ids("import");
    const body = { prompt: "x = ", max_tokens: 3, ignore_eos: true, logit_bias: { [forced]: 100 } };
    expect((await json("/v1/completions", body)).choices[0].text).toBe("importimportimport");
  });

  it.each([["é"], ["💥"], ["日本"], ["\n\n"]])("end at a text of any script, whole and streamed: %j", async (stop) => {
    const body = { prompt: "x", max_tokens: 40, grammar: `root ::= "ab" "${stop.replaceAll("\n", "\\n")}" "cd"` };
    expect((await json("/v1/completions", body)).choices[0].text).toBe(`ab${stop}cd`);
    const stopped = { ...body, stop: ["zz", stop] };
    expect((await json("/v1/completions", stopped)).choices[0]).toMatchObject({ text: "ab", finish_reason: "stop" });
    expect(textsOf(await events("/v1/completions", stopped), 1)).toEqual(["ab"]);
  });

  it("may begin with nothing", async () => {
    const body = await json("/v1/completions", { prompt: "", max_tokens: 3 });
    expect(body.choices[0].text.length).toBeGreaterThan(0);
    expect((await json("/v1/completions", { max_tokens: 3 })).choices[0].text).toBe(body.choices[0].text);
  });
});

const add = {
  type: "function" as const,
  function: {
    name: "add",
    strict: true,
    parameters: {
      type: "object",
      properties: { a: { type: "integer", minimum: 0, maximum: 9 } },
      required: ["a"],
      additionalProperties: false,
    },
  },
};

describe("chats that are asked for in unusual ways", () => {
  const chat = { ...common, messages };

  it("call tools in each of several answers, in pieces", async () => {
    const body = {
      ...chat,
      n: 2,
      max_tokens: 80,
      tools: [add],
      tool_choice: { type: "function", function: add.function },
    };
    const named = { ...body, tool_choice: { type: "function" as const, function: { name: "add" } } };
    const stream = client.chat.completions.stream(named);
    const { choices } = await stream.finalChatCompletion();
    for (const { message, finish_reason } of choices) {
      const [call] = message.tool_calls!;
      expect(call.id).toMatch(/^call_/);
      expect(JSON.parse((call as { function: { arguments: string } }).function.arguments).a).toBeTypeOf("number");
      expect(finish_reason).toBe("tool_calls");
    }
  });

  it.each([
    { tool_choice: "required" as const },
    { tool_choice: { type: "function" as const, function: { name: "now" } } },
  ])("call a function without parameters with none: %j", async (choice) => {
    const tools = [{ type: "function" as const, function: { name: "now" } }];
    const asked = { ...chat, max_tokens: 60, tools, seed: 3, temperature: 1.5, parallel_tool_calls: false };
    const { message } = (await client.chat.completions.create({ ...asked, ...choice })).choices[0]!;
    expect(message.tool_calls).toMatchObject([{ function: { name: "now" } }]);
    const [call] = message.tool_calls!;
    expect(JSON.parse((call as { function: { arguments: string } }).function.arguments)).toEqual({});
  });

  it("call one tool at most, and by its schema, also where the model chooses", async () => {
    const choose = { ...chat, max_tokens: 200, tools: [add], temperature: 1.5 };
    const several = await client.chat.completions.create({ ...choose, tool_choice: "required", seed: 1 });
    expect(several.choices[0].message.tool_calls!.length).toBeGreaterThan(0);
    const calls: number[] = [];
    for (let seed = 0; seed < 6; seed++) {
      const forced = { ...choose, seed, tool_choice: "required" as const, parallel_tool_calls: false };
      const { choices } = await client.chat.completions.create(forced);
      calls.push(choices[0].message.tool_calls!.length);
      // A model that was never shown tools says anything; what looks like a call is one.
      const free = { ...choose, seed, parallel_tool_calls: false, logit_bias: { [ids("{")[0]]: seed % 2 ? 100 : 0 } };
      const { message } = (await client.chat.completions.create(free)).choices[0];
      expect(message.tool_calls?.length ?? 0).toBeLessThanOrEqual(1);
      for (const call of message.tool_calls ?? [])
        expect(JSON.parse((call as { function: { arguments: string } }).function.arguments).a).toBeTypeOf("number");
      if (seed % 2) expect(message.tool_calls).toHaveLength(1);
    }
    expect(new Set(calls)).toEqual(new Set([1]));
  });

  it("have a form, or call a tool, where both are offered", async () => {
    const schema = {
      type: "object",
      properties: { ok: { type: "boolean" } },
      required: ["ok"],
      additionalProperties: false,
    };
    const { choices } = await client.chat.completions.create({
      ...chat,
      max_tokens: 80,
      tools: [add],
      response_format: { type: "json_schema", json_schema: { name: "x", strict: true, schema } },
    });
    const [{ message }] = choices;
    if (message.tool_calls) expect(message.tool_calls).toHaveLength(1);
    else expect(JSON.parse(message.content!).ok).toBeTypeOf("boolean");
  });

  it("take every optional field, and null for each", async () => {
    const { choices, usage } = await client.chat.completions.create({
      ...chat,
      max_completion_tokens: 1,
      max_tokens: null,
      user: "me",
      metadata: { a: "b" },
      service_tier: "auto",
      store: false,
      stop: ["x", "y"],
      tools: undefined,
      response_format: { type: "text" },
      logit_bias: {},
      top_p: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      seed: -5,
      n: 1,
      modalities: ["text"],
      prompt_cache_key: "k",
      safety_identifier: "s",
    });
    expect([choices[0].finish_reason, usage!.completion_tokens]).toEqual(["length", 1]);
  });

  it("show the template who speaks, what was refused and what is to be gone on with", async () => {
    const asked = [
      {
        role: "developer" as const,
        content: [
          { type: "text" as const, text: "Be " },
          { type: "text" as const, text: "brief." },
        ],
      },
      { role: "user" as const, content: "Hi", name: "ann" },
      { role: "assistant" as const, content: null, refusal: "I won't." },
      { role: "user" as const, content: "Go on" },
      { role: "assistant" as const, content: "def " },
    ];
    const response = await post(server.address, "/apply-template", JSON.stringify({ messages: asked }));
    const { prompt } = (await response.json()) as { prompt: string };
    expect(prompt).toMatch(/Be brief\.[\s\S]*Hi[\s\S]*I won't\.[\s\S]*Go on[\s\S]*def /);
    const answer = await json("/v1/chat/completions", { messages: asked, max_tokens: 4, continue_final_message: true });
    expect(answer.choices).toHaveLength(1);
  });

  it("come with their ids, whole and in pieces", async () => {
    interface ChatBody {
      readonly prompt_token_ids?: number[];
      readonly choices: readonly { readonly token_ids?: number[]; readonly message?: { readonly content: string } }[];
    }
    const body = { messages, max_tokens: 10, return_token_ids: true };
    const whole = (await json("/v1/chat/completions", body)) as unknown as ChatBody;
    const [{ token_ids: said, message }] = whole.choices;
    expect(server.generator.tokenizer.decode(said!)).toBe(message!.content);
    const pieces = (await events("/v1/chat/completions", body)) as unknown as ChatBody[];
    expect(pieces[0].prompt_token_ids).toEqual(whole.prompt_token_ids);
    expect(pieces.flatMap(({ choices }) => choices.flatMap(({ token_ids = [] }) => token_ids))).toEqual(said);
  });

  it.each([
    [{ top_logprobs: 2 }, "top_logprobs"],
    [{ stream_options: { include_usage: true } }, "stream_options"],
    [{ stream: true, stream_options: { include_obfuscation: true } }, "stream_options.include_obfuscation"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ continue_final_message: true, add_generation_prompt: true }, "continue_final_message"],
  ])("hear by name what means nothing: %j", async (more, param) => {
    expect((await json("/v1/chat/completions", { messages, ...more })).error!.param).toBe(param);
  });
});

describe("llama-server's forms", () => {
  it("tell what each token is, of half a character its bytes", async () => {
    const response = await post(server.address, "/tokenize", JSON.stringify({ content: "é💥", with_pieces: true }));
    const { tokens } = (await response.json()) as { tokens: { id: number; piece: string | number[] }[] };
    const bytes = tokens.flatMap(({ piece }) => (typeof piece === "string" ? [...Buffer.from(piece)] : piece));
    expect(Buffer.from(bytes).toString()).toBe("é💥");
    expect(tokens.some(({ piece }) => Array.isArray(piece))).toBe(true);
  });
});
