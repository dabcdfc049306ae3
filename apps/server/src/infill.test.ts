import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoServer, demoServer, post } from "./testing/demo-server.ts";

let server: DemoServer;
beforeAll(async () => {
  server = await demoServer();
});
afterAll(() => server.app.close());

/** What llama.vim sends. */
const asEditor = {
  id_slot: 0,
  input_prefix: "def add(a, b):\n",
  input_suffix: "\n\nprint(add(1, 2))\n",
  // Vim's clock is a list of two numbers, and VS Code's is one.
  input_extra: [
    { filename: "other.py", text: "def sub(a, b):\n    return a - b\n", time: [1_700_000_000, 123_456] },
    { filename: "third.py", text: "def mul(a, b):\n    return a * b\n", time: 1_700_000_000_000 },
  ],
  prompt: "    return",
  n_predict: 24,
  n_indent: 4,
  top_k: 1,
  top_p: 0.9,
  stream: false,
  samplers: ["top_k", "top_p", "infill"],
  cache_prompt: true,
  t_max_prompt_ms: 500,
  t_max_predict_ms: 60_000,
  model: "",
};

const ask = async (more: object) => post(server.address, "/infill", JSON.stringify({ ...asEditor, ...more }));

describe("an editor", () => {
  it("gets what belongs at its cursor, in the fields it asks for", async () => {
    const response_fields = [
      "content",
      "timings/prompt_n",
      "timings/predicted_ms",
      "truncated",
      "tokens_cached",
      "none",
    ];
    const answer = (await (await ask({ response_fields })).json()) as Record<string, unknown>;
    expect(Object.keys(answer)).toEqual(response_fields.slice(0, -1));
    expect(answer).toMatchObject({ content: expect.any(String), truncated: false });
    expect(answer["timings/predicted_ms"]).toBeGreaterThan(0);
  });

  it("gets nothing past the tokens that end what is filled in", async () => {
    const { infillEnds } = server.generator.tokenizer;
    const marks = ["<fim_pad>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>"];
    expect(infillEnds).toEqual(marks.map((mark) => server.generator.tokenizer.tokenToId(mark)));
    const stream = vi.spyOn(server.generator, "stream");
    await ask({ n_predict: 1 });
    expect(stream.mock.lastCall![1]).toMatchObject({ stopTokens: infillEnds });
    stream.mockRestore();
    const [pad] = infillEnds;
    const body = { model: "demo", prompt: "def f(", logit_bias: { [pad!]: 100 }, max_tokens: 3, temperature: 0 };
    const completed = async (more: object): Promise<unknown> =>
      (await post(server.address, "/v1/completions", JSON.stringify({ ...body, ...more }))).json();
    expect(await completed({ suffix: "return a" })).toMatchObject({ choices: [{ text: "", finish_reason: "stop" }] });
    expect(await completed({})).toMatchObject({ choices: [{ finish_reason: "length" }] });
  });

  it("gets the same in pieces", async () => {
    const whole = (await (await ask({})).json()) as { content: string; tokens_predicted: number };
    const events = (await (await ask({ stream: true })).text()).trim().split("\n\n");
    const pieces = events.map((event) => JSON.parse(event.slice("data: ".length)));
    expect(pieces.map(({ stop }) => stop)).toEqual([...pieces.slice(1).map(() => false), true]);
    expect(
      pieces
        .slice(0, -1)
        .map(({ content }) => content)
        .join(""),
    ).toBe(whole.content);
    expect(pieces.at(-1)).toMatchObject({ content: whole.content, tokens_predicted: whole.tokens_predicted });
  });

  it("gets no more than a line where its time is over, and the engine goes on to others", async () => {
    const answer = (await (await ask({ t_max_predict_ms: 0, n_indent: 0, n_predict: 200, prompt: "" })).json()) as {
      content: string;
      tokens_predicted: number;
    };
    expect(answer.content.split("\n").length).toBeLessThanOrEqual(2);
    expect(answer.tokens_predicted).toBeLessThan(200);
  });

  it("may ask for nothing, so that what it sends is read before it is needed", async () => {
    const warm = { n_predict: 0, input_prefix: "", input_suffix: "", prompt: "", t_max_predict_ms: 1 };
    const extra = Array.from({ length: 5 }, (_, i) => ({
      filename: `${i}.py`,
      text: `value_${i} = ${i}\n`.repeat(5),
      time: i,
    }));
    for (const stream of [false, true]) {
      const steps = server.generator.scheduler.stats.steps;
      const response = await ask({ ...warm, input_extra: extra, stream });
      const text = await response.text();
      expect(JSON.parse(stream ? text.slice("data: ".length) : text)).toMatchObject({
        ...{ content: "", tokens: [], tokens_predicted: 0, stop: true, stop_type: "limit", stopping_word: "" },
      });
      expect(server.generator.scheduler.stats.steps - steps).toBeLessThanOrEqual(2);
    }
    const response_fields = ["tokens_cached", "tokens_evaluated"];
    const after = await ask({ input_extra: extra, input_prefix: "def f(", prompt: "", n_predict: 1, response_fields });
    const { tokens_cached: cached, tokens_evaluated: all } = (await after.json()) as Record<string, number>;
    expect(cached).toBeGreaterThan(all! / 2);
  });

  it("is told which text ended the answer", async () => {
    const { tokenizer } = server.generator;
    const plain = { n_indent: 0, stop: [], stream: false };
    const { content, tokens } = (await (await ask(plain)).json()) as { content: string; tokens: number[] };
    const offsets = tokens.map((_, i) => tokenizer.decode(tokens.slice(0, i)).length);
    const pieces = tokens.map((id) => tokenizer.decode([id]));
    // A token of several characters whose first there is nowhere before: the longer text and the shorter begin together.
    const at = pieces.findIndex((piece, i) => piece.length > 1 && content.indexOf(piece[0]!) === offsets[i]);
    expect(at).toBeGreaterThanOrEqual(0);
    const [word] = pieces[at]!;
    for (const stop of [
      [pieces[at]!, word!],
      ["never", word!],
    ])
      expect(await (await ask({ ...plain, stop })).json()).toMatchObject({
        ...{ stop_type: "word", stopping_word: word, content: content.slice(0, offsets[at]) },
      });
    expect(await (await ask({ ...plain, stop: ["never"] })).json()).not.toMatchObject({ stop_type: "word" });
  });

  it("may send more than fits: what is nearest to the cursor stays", async () => {
    const long = "value = compute(other)\n".repeat(400);
    const answer = await ask({ input_prefix: long, input_suffix: long, response_fields: ["truncated", "content"] });
    expect([answer.status, ((await answer.json()) as { truncated: boolean }).truncated]).toEqual([200, true]);
  });

  it("hears what it can't have", async () => {
    const answer = await ask({ mirostat: 2 });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param: "mirostat" } });
  });
});
