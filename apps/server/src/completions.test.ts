import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoServer, demoServer, post } from "./testing/demo-server.ts";

let server: DemoServer;
beforeAll(async () => {
  server = await demoServer();
});
afterAll(() => server.app.close());

interface Logprobs {
  readonly tokens: string[];
  readonly token_logprobs: (number | null)[];
  readonly top_logprobs: (Record<string, number> | null)[];
  readonly text_offset: number[];
}
interface Answer {
  readonly choices: readonly { readonly text: string; readonly logprobs: Logprobs; readonly finish_reason: string }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
  readonly error?: { readonly param: string; readonly message: string };
}

async function ask(body: object, path = "/v1/completions"): Promise<Answer & { readonly status: number }> {
  const response = await post(server.address, path, JSON.stringify({ model: "demo", ...body }));
  return { status: response.status, ...((await response.json()) as Answer) };
}

const long = "a = 1\n".repeat(3000);

describe("tokens that the model doesn't have", () => {
  const beyond = [4096, 2 ** 31, 2 ** 32 + 5];

  it.each(beyond)("are refused by the field that has them: %d", async (id) => {
    const refused = async (path: string, body: object): Promise<unknown> => {
      const { status, error } = await ask(body, path);
      expect(error!.message).toContain(String(id));
      return [status, error!.param];
    };
    for (const prompt of [[id], [[1], [2, id]]])
      expect(await refused("/v1/completions", { prompt, max_tokens: 2 })).toEqual([400, "prompt"]);
    for (const input of [[id], [[1], [2, id]]])
      expect(await refused("/v1/embeddings", { input })).toEqual([400, "input"]);
    expect(await refused("/detokenize", { tokens: [1, id] })).toEqual([400, "tokens"]);
    const stops = { stop_token_ids: [1, id], max_tokens: 2 };
    expect(await refused("/v1/completions", { prompt: "x", ...stops })).toEqual([400, "stop_token_ids"]);
    const messages = [{ role: "user", content: "x" }];
    expect(await refused("/v1/chat/completions", { messages, ...stops })).toEqual([400, "stop_token_ids"]);
  });
});

describe("a prompt with a suffix", () => {
  const infill = { prompt: "def f(", suffix: "return x", max_tokens: 3 };

  it("is echoed as it was sent, and so is an empty one", async () => {
    const [plain, echoed] = await Promise.all([{}, { echo: true }].map((more) => ask({ ...infill, ...more, seed: 1 })));
    expect(echoed!.choices[0]!.text).toBe(`def f(${plain!.choices[0]!.text}`);
    const nothing = { prompt: "", max_tokens: 3, seed: 1 };
    const [alone, begun] = await Promise.all([ask(nothing), ask({ ...nothing, echo: true })]);
    expect(begun!.choices[0]!.text).toBe(alone!.choices[0]!.text);
  });

  it.each([
    [{ truncate_prompt: "left" }, "truncate_prompt"],
    [{ truncate_prompt: "middle" }, "truncate_prompt"],
    [{ input_len: 5 }, "input_len"],
    [{ echo: true, logprobs: 1 }, "echo"],
  ])("isn't cut, nor scored: %j", async (more, param) => {
    expect(await ask({ ...infill, ...more })).toMatchObject({ status: 400, error: { param } });
  });

  it("that is too long hears of nothing that it can't have", async () => {
    const { error } = await ask({ ...infill, prompt: long });
    expect(error).toMatchObject({ param: "prompt", code: "context_length_exceeded" });
    expect(error!.message).not.toContain("truncate_prompt");
  });
});

describe("a prompt that is cut", () => {
  const cut = { prompt: long, truncate_prompt: "left", max_tokens: 4, ignore_eos: true, return_token_ids: true };
  interface Told {
    readonly choices: readonly { readonly prompt_token_ids?: number[] }[];
    readonly usage: { readonly prompt_tokens: number };
  }

  it("is told and counted as it goes to the model, whole and streamed", async () => {
    const whole = (await ask(cut)) as unknown as Told;
    const ids = whole.choices[0]!.prompt_token_ids!;
    expect(ids).toHaveLength(whole.usage.prompt_tokens);
    expect(ids).toEqual(Array.from(server.generator.tokenizer.encode(long)).slice(-ids.length));
    const stream_options = { continuous_usage_stats: true };
    const body = JSON.stringify({ model: "demo", ...cut, stream: true, stream_options });
    const [first] = (await (await post(server.address, "/v1/completions", body)).text()).split("\n\n");
    const piece = JSON.parse(first!.slice("data: ".length)) as Told;
    expect(piece.choices[0]!.prompt_token_ids).toEqual(ids);
    expect(piece.usage.prompt_tokens).toBe(ids.length);
  });
});

describe("a text that is far too long", () => {
  const huge = "value = other\n".repeat(700_000); // ten megabytes

  it("is refused before it is made tokens", async () => {
    const encode = vi.spyOn(server.generator.tokenizer, "encode");
    const messages = [{ role: "user", content: huge }];
    for (const [path, body] of [
      ["/v1/completions", { prompt: huge }],
      ["/v1/completions", { prompt: huge, suffix: "x" }],
      ["/v1/chat/completions", { messages }],
      ["/v1/chat/completions", { messages, stream: true }],
      ["/v1/chat/completions", { messages, stream: true, stream_options: { continuous_usage_stats: true } }],
      ["/v1/completions", { prompt: huge, stream: true, stream_options: { continuous_usage_stats: true } }],
      ["/v1/responses", { input: huge }],
      ["/v1/embeddings", { input: ["x", huge] }],
    ] as const) {
      const { status, error } = await ask(body, path);
      expect([status, error!.message]).toEqual([400, expect.stringMatching(/the request has at least \d+\./)]);
    }
    expect(encode.mock.calls.every(([text]) => text.length < 1000)).toBe(true);
    encode.mockRestore();
  });
});

describe("more prompts than the server takes on at once", () => {
  it.each([
    [{ prompt: Array(600).fill("a") }, "prompt"],
    [{ prompt: Array(6).fill("a"), n: 100 }, "n"],
    [{ prompt: Array(6).fill("a"), best_of: 100 }, "best_of"],
  ])("are refused by the field that asks for them: %#", async (body, param) => {
    expect(await ask({ ...body, max_tokens: 1 })).toMatchObject({ status: 400, error: { param } });
  });
});

describe("log-probabilities of a completion", () => {
  it("have the token that came among the best, also where it was none of them", async () => {
    const { choices } = await ask({
      prompt: "x",
      logprobs: 1,
      temperature: 2,
      max_tokens: 30,
      seed: 1,
      ignore_eos: true,
    });
    const { tokens, token_logprobs, top_logprobs } = choices[0]!.logprobs;
    expect(tokens.map((token, i) => top_logprobs[i]![token])).toEqual(token_logprobs);
    expect(top_logprobs.some((top) => Object.keys(top!).length === 2)).toBe(true);
  });

  it("say where each token begins, in characters, however many tokens one has", async () => {
    const prompt = "💥x日本";
    const { choices } = await ask({ prompt, echo: true, logprobs: 3, max_tokens: 0 });
    const [{ logprobs }] = choices as [Answer["choices"][number]];
    const ids = server.generator.tokenizer.encode(prompt);
    const before = (i: number): string => server.generator.tokenizer.decode(Array.from(ids.slice(0, i)));
    const whole = (i: number): number => Array.from(before(i)).filter((character) => character !== "\ufffd").length;
    expect(logprobs.text_offset).toEqual(Array.from(ids, (_, i) => whole(i)));
    expect(Math.max(...logprobs.text_offset)).toBeLessThan(4);
    const parts = logprobs.tokens.filter((token) => /^bytes:(\\x[0-9a-f]{2})+$/.test(token));
    expect(parts.length).toBeGreaterThan(0);
    expect(logprobs.tokens.join("")).not.toContain("\ufffd");
    for (const [i, top] of logprobs.top_logprobs.entries())
      if (top) expect(Object.keys(top).length, `token ${i}`).toBeGreaterThanOrEqual(3);
  });

  it("aren't told of a prompt that is cut", async () => {
    for (const cut of [{ truncate_prompt: "left" }, { input_len: 9 }])
      expect(await ask({ prompt: long, echo: true, logprobs: 0, max_tokens: 4, ...cut })).toMatchObject({
        status: 400,
        error: { param: Object.keys(cut)[0] },
      });
  });
});

describe("options by the names of the command line", () => {
  const common = { prompt: "def f(", ignore_eos: true };

  it.each(["max_tokens", "max_new_tokens", "generation_len"])("take a length as %s", async (name) => {
    const { usage } = await ask({ ...common, [name]: 7 });
    expect(usage.completion_tokens).toBe(7);
    const messages = [{ role: "user", content: "x" }];
    expect((await ask({ messages, ignore_eos: true, [name]: 7 }, "/v1/chat/completions")).usage).toMatchObject({
      completion_tokens: 7,
    });
  });

  it("choose greedily, read a prompt's end, guess, and hold to a schema", async () => {
    const greedy = await ask({ ...common, max_new_tokens: 12, temperature: 0 });
    const [text] = greedy.choices.map((each) => each.text);
    const same = await ask({ ...common, max_new_tokens: 12, greedy: true, speculate: true });
    expect(same.choices[0]!.text).toBe(text);
    const short = await ask({ ...common, prompt: `${long}def f(`, input_len: 5, max_new_tokens: 1 });
    expect(short.usage.prompt_tokens).toBe(5);
    const json_schema = {
      type: "object",
      properties: { a: { type: "boolean" } },
      required: ["a"],
      additionalProperties: false,
    };
    const formed = { json_schema, max_new_tokens: 60, greedy: true };
    expect(JSON.parse((await ask({ prompt: "x", ...formed })).choices[0]!.text)).toEqual({ a: expect.any(Boolean) });
    const messages = [{ role: "user", content: "x" }];
    const chat = (await ask({ messages, ...formed }, "/v1/chat/completions")) as unknown as {
      choices: { message: { content: string } }[];
    };
    expect(JSON.parse(chat.choices[0]!.message.content)).toEqual({ a: expect.any(Boolean) });
  });

  it.each([
    [{ max_tokens: 3, max_new_tokens: 4 }, "max_new_tokens"],
    [{ max_tokens: 2, min_tokens: 50 }, "min_tokens"],
    [{ stop: "" }, "stop"],
    [{ stop: ["a", ""] }, "stop[1]"],
    [{ json_schema: {}, regex: "a" }, "regex"],
  ])("hear by name what contradicts itself: %j", async (more, param) => {
    expect(await ask({ ...common, ...more })).toMatchObject({ status: 400, error: { param } });
  });

  it("go on for as long as they must", async () => {
    expect((await ask({ prompt: "x", min_tokens: 20 })).usage.completion_tokens).toBeGreaterThanOrEqual(20);
  });
});
