import { expect, it } from "vitest";
import { conversationOf } from "./conversation.ts";

const call = { id: "1", type: "function" as const, function: { name: "add", arguments: '{"a":1}' } };

it("says nothing as an empty text, never as null: templates that don't look would write `None`", () => {
  expect(
    conversationOf([
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "assistant", tool_calls: [call] },
    ]).map(({ content }) => content),
  ).toEqual(["", ""]);
});

it("has no calls where the list of them is empty: templates take a list for calls, and drop the text", () => {
  const [said] = conversationOf([{ role: "assistant", content: "Yes.", tool_calls: [] }]);
  expect(said).toEqual({ role: "assistant", content: "Yes." });
});
