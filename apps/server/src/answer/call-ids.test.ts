import { expect, it } from "vitest";
import { conversationFor } from "./conversation.ts";

const MISTRAL = `{%- if tools %}…{% endif %}{% if not tool_call.id is defined or tool_call.id|length != 9 %}{{ raise_exception("no") }}{% endif %}`;
const OTHERS = "{% if tools %}{{ tools | tojson }}{% endif %}{{ messages | length != 90 }}";
const ids = ["call_0123456789abcdef01234567", "toolu_x", "abcDEF123"];

/** The ids of a conversation with calls of these ids, and with their results. */
function idsIn(template: string): { readonly called: readonly string[]; readonly answered: readonly unknown[] } {
  const calls = ids.map((id) => ({ id, type: "function" as const, function: { name: "now", arguments: "{}" } }));
  const results = ids.map((id) => ({ role: "tool" as const, tool_call_id: id, content: "12" }));
  const [said, ...answers] = conversationFor(template, [{ role: "assistant", tool_calls: calls }, ...results]);
  return {
    called: (said!.tool_calls as { readonly id: string }[]).map(({ id }) => id),
    answered: answers.map(({ tool_call_id }) => tool_call_id),
  };
}

it("has nine letters where the template refuses others: a call and its result the same, always the same ones", () => {
  const { called, answered } = idsIn(MISTRAL);
  expect(called.every((id) => /^[a-zA-Z0-9]{9}$/.test(id))).toBe(true);
  expect(new Set(called).size).toBe(3);
  expect(called[2]).toBe(ids[2]);
  expect(answered).toEqual(called);
  expect(idsIn(MISTRAL)).toEqual({ called, answered });
});

it("stays what it is where the template doesn't look at it", () => {
  expect(idsIn(OTHERS)).toEqual({ called: ids, answered: ids });
});
