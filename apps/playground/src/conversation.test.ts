import { describe, expect, it } from "vitest";
import { messagesOf, type Turn } from "./page/conversation.ts";

const turn = (role: Turn["role"], text: string, problem?: string): Turn => ({
  ...{ role, text, thought: "", calls: "", tokens: [] },
  ...(problem === undefined ? {} : { problem }),
});

describe("what a model is sent of a conversation", () => {
  it("is all of it, and what it is told before", () => {
    const turns = [turn("user", "one"), turn("assistant", "1"), turn("user", "two")];
    const said = [
      { role: "user", content: "one" },
      { role: "assistant", content: "1" },
      { role: "user", content: "two" },
    ];
    expect(messagesOf("", turns)).toEqual(said);
    expect(messagesOf("Be brief.", turns)).toEqual([{ role: "system", content: "Be brief." }, ...said]);
  });

  it.each([
    ["failed", turn("assistant", "", "the chat template refuses this conversation")],
    ["was stopped before its first word", turn("assistant", "")],
  ])("leaves out what an answer was asked for that %s, so that sides take turns", (_, nothing) => {
    const turns = [turn("user", "one"), turn("assistant", "1"), turn("user", "two"), nothing, turn("user", "three")];
    expect(messagesOf("", turns).map(({ content }) => content)).toEqual(["one", "1", "three"]);
  });

  it("keeps what was said before an answer was cut off", () => {
    const turns = [turn("user", "one"), turn("assistant", "1 and", "The server can't be reached"), turn("user", "two")];
    expect(messagesOf("", turns).map(({ content }) => content)).toEqual(["one", "1 and", "two"]);
  });
});
