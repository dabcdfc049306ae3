import type OpenAI from "openai";
import { describe, expect, expectTypeOf, it } from "vitest";
import { chatChoice, chatChunk, chatCompletion, chatLogprobs } from "./chat.ts";
import { completion, completionChunk, completionLogprobs, type TokenLogprob, usageOf } from "./completions.ts";
import { embeddingList } from "./embeddings.ts";
import { modelList } from "./models.ts";

const head = { id: "chatcmpl-1", created: 1, model: "demo" };
const tokens: TokenLogprob[] = [
  { token: "Hel", bytes: [72, 101, 108], logprob: null, top: [] },
  { token: "lo", bytes: [108, 111], logprob: -0.5, top: [{ token: "p", bytes: [112], logprob: -1 }] },
];

describe("answers", () => {
  it("are what OpenAI's own types say", () => {
    expectTypeOf(chatCompletion).returns.toExtend<OpenAI.Chat.ChatCompletion>();
    expectTypeOf(chatChunk).returns.toExtend<OpenAI.Chat.ChatCompletionChunk>();
    // The older type knows nothing of the null that stands for a prompt's first token.
    expectTypeOf(completion).returns.omit<"choices">().toExtend<Omit<OpenAI.Completion, "choices">>();
    expectTypeOf(modelList).returns.toHaveProperty("data").toExtend<readonly OpenAI.Model[]>();
    expectTypeOf(embeddingList).returns.toHaveProperty("object").toEqualTypeOf<"list">();
  });

  it("have no content beside calls, and say what was thought", () => {
    const calls = [{ id: "call_1", type: "function" as const, function: { name: "now", arguments: "{}" } }];
    expect(chatChoice(0, { text: "", reasoning: "hm", calls }, "tool_calls")).toEqual({
      index: 0,
      message: { role: "assistant", content: null, refusal: null, reasoning_content: "hm", tool_calls: calls },
      logprobs: null,
      finish_reason: "tool_calls",
    });
    expect(chatChoice(0, { text: "", reasoning: "", calls: [] }, "stop").message.content).toBe("");
  });

  it("carry log-probabilities in both of OpenAI's forms", () => {
    expect(completionLogprobs(tokens, [10, 13])).toEqual({
      tokens: ["Hel", "lo"],
      token_logprobs: [null, -0.5],
      top_logprobs: [null, { lo: -0.5, p: -1 }],
      text_offset: [10, 13],
    });
    expect(chatLogprobs(tokens).content[0]).toMatchObject({ token: "Hel", logprob: -9999 });
    expect(chatLogprobs(tokens.slice(1)).content[0]).toMatchObject({ token: "lo", logprob: -0.5, bytes: [108, 111] });
  });

  it("name parts of characters by their bytes, so that none stands for another", () => {
    const part = (...bytes: number[]) => ({ token: "\ufffd", bytes, logprob: -bytes[0]! / 100 });
    const replacement = { token: "\ufffd", bytes: [0xef, 0xbf, 0xbd], logprob: -4 }; // which is a character of its own
    const proto = { token: "__proto__", bytes: [...Buffer.from("__proto__")], logprob: -5 };
    const top = [part(0xe6), part(0xf0, 0x9f), replacement, proto, { ...proto, logprob: -6 }];
    const { tokens: names, top_logprobs } = completionLogprobs([{ ...part(0xf0, 0x9f), top }], [0]);
    expect(names).toEqual(["bytes:\\xf0\\x9f"]);
    expect(Object.entries(top_logprobs[0]!)).toEqual([
      ["bytes:\\xe6", -2.3],
      ["bytes:\\xf0\\x9f", -2.4],
      ["\ufffd", -4],
      ["__proto__", -5],
    ]);
  });

  it("end a stream with usage and no choice", () => {
    const usage = usageOf(3, 4, 2);
    expect(usage).toMatchObject({ total_tokens: 7, prompt_tokens_details: { cached_tokens: 2 } });
    expect(chatChunk(head, "fp", undefined, usage)).toMatchObject({ choices: [], usage });
    expect("usage" in chatChunk(head, "fp", { index: 0, delta: { content: "x" } })).toBe(false);
    expect(completionChunk(head, "fp", undefined, null).usage).toBeNull();
  });

  it("write vectors as numbers or as base64 of their floats", () => {
    const vector = Float32Array.of(1, -0.5);
    const [{ embedding }] = embeddingList("demo", [vector], 2, "base64").data;
    const bytes = Buffer.from(embedding as string, "base64");
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([1, -0.5]);
    expect(embeddingList("demo", [vector], 2).data[0].embedding).toEqual([1, -0.5]);
  });
});
