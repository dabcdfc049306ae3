import { createHash } from "node:crypto";
import type { ChatMessage } from "@llm/generate";

/** What ids of calls look like where a template looks at them: Mistral's do. */
const NINE = /^[a-zA-Z0-9]{9}$/;

/** Whether a chat template refuses ids of calls that haven't nine letters, as no client and no other server makes them. */
const wantsNine = (chatTemplate: string | undefined): boolean =>
  chatTemplate !== undefined && /\|\s*length\s*!=\s*9\b/.test(chatTemplate);

/** A conversation whose calls have ids that the chat template takes; a call and its result still have the same one. */
export function withCallIds(chatTemplate: string | undefined, messages: readonly ChatMessage[]): ChatMessage[] {
  if (!wantsNine(chatTemplate)) return [...messages];
  return messages.map((message) => {
    const { tool_calls: calls, tool_call_id: id } = message;
    return {
      ...message,
      ...(Array.isArray(calls)
        ? { tool_calls: calls.map((call: { readonly id: string }) => ({ ...call, id: nineOf(call.id) })) }
        : {}),
      ...(typeof id === "string" ? { tool_call_id: nineOf(id) } : {}),
    };
  });
}

/** A digest: equal ids stay equal, whichever request has them, so that what was read of a conversation is found again. */
const nineOf = (id: string): string => (NINE.test(id) ? id : createHash("sha256").update(id).digest("hex").slice(0, 9));
