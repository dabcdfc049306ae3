import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer, post } from "./testing/demo-server.ts";

let server: DemoServer;
beforeAll(async () => {
  server = await demoServer();
});
afterAll(() => server.app.close());

/** Nobody waits for a whole context of an answer here. */
const short = { choice: ["pass"] };
const messages = [
  { role: "system", content: "You are an expert coder." },
  { role: "user", content: "Write a function." },
];
const chat = async (body: object): Promise<Response> =>
  post(server.address, "/v1/chat/completions", JSON.stringify({ messages, ...body }));

describe("an editor's chats", () => {
  it("are answered as llama.vim asks, first in advance", async () => {
    const common = { id_slot: 1, cache_prompt: true, model: "" };
    const warm = await chat({ ...common, samplers: [], n_predict: 0, stream: false, response_fields: [""] });
    expect([warm.status, await warm.json()]).toEqual([200, {}]);
    const answer = {
      ...common,
      response_fields: [],
      samplers: ["min_p"],
      min_p: 0.1,
      temperature: 0.1,
      stream: true,
      ...short,
    };
    const events = (await (await chat({ ...answer, stream_options: { include_usage: true } })).text()).trim();
    const chunks = events.split("\n\n").map((event) => event.slice("data: ".length));
    expect(chunks.pop()).toBe("[DONE]");
    const usage = JSON.parse(chunks.pop()!).usage;
    expect(usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(usage.prompt_tokens / 2);
    expect(JSON.parse(chunks[0]!)).toMatchObject({ model: "demo", choices: [{ delta: { role: "assistant" } }] });
  });

  it("are answered as llama.vscode asks, without a model's name and with all that llama-server knows, off", async () => {
    const off = { dynatemp_range: 0, dynatemp_exponent: 1, xtc_probability: 0, xtc_threshold: 0.1, repeat_last_n: 64 };
    const dry = { dry_multiplier: 0, dry_base: 1.75, dry_allowed_length: 2, dry_penalty_last_n: -1 };
    const sampling = { temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05, typical_p: 1, repeat_penalty: 1 };
    const rest = { presence_penalty: 0, frequency_penalty: 0, max_tokens: -1, timings_per_token: false };
    const body = {
      stream: false,
      cache_prompt: true,
      samplers: "edkypmxt",
      ...sampling,
      ...off,
      ...dry,
      ...rest,
      ...short,
    };
    const answer = await chat(body);
    expect([answer.status, ((await answer.json()) as { model: string }).model]).toEqual([200, "demo"]);
  });

  it.each([
    [{ repeat_penalty: 1.1 }, "repeat_penalty"],
    [{ xtc_probability: 0.5 }, "xtc_probability"],
    [{ dry_multiplier: 0.8 }, "dry_multiplier"],
    [{ dynatemp_range: 1 }, "dynatemp_range"],
    [{ repeat_last_n: 64, presence_penalty: 1 }, "repeat_last_n"],
    [{ n_predict: 0, stream: true }, "n_predict"],
    [{ n_predict: 3, max_tokens: 4 }, "n_predict"],
    [{ max_tokens: 0 }, "max_tokens"],
    [{ lora: [{ id: 0, scale: 0.5 }] }, "lora"],
    [{ parallel_tool_calls: false }, "parallel_tool_calls"],
  ])("hear by name what can't be: %j", async (more, param) => {
    const answer = await chat(more);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param } }]);
  });
});
