import { describe, expect, it } from "vitest";
import { completionChunk } from "./openai/completions.ts";
import { event, textEvents } from "./sse.ts";

describe("events that differ in a text alone", () => {
  const chunk = (model: string) => (text: string) => {
    const choice = { text, index: 3, logprobs: null, finish_reason: null };
    return completionChunk({ id: "cmpl-1", created: 1, model }, "llm", choice, null);
  };

  it.each(["", 'a "quote"\n', "\ud83d\ude00", "\ud83d", "$& $1 \u0000text\u0000"])(
    "are what each would be alone: %j",
    (text) => {
      expect(textEvents(chunk("demo"))(text)).toBe(event(chunk("demo")(text)));
    },
  );

  it("also where a name looks like the place that a text goes to", () => {
    const odd = chunk("\u0000text\u0000");
    expect(textEvents(odd)("x")).toBe(event(odd("x")));
  });
});
