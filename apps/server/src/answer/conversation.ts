import { type ChatMessage, showsTools, toolsAsText } from "@llm/generate";
import { type ChatRequest, type ChatRequestMessage, invalid } from "@llm/protocol";
import { withCallIds } from "./call-ids.ts";

/** A request's messages for the template of a model; with the tools in them, where it shows it none. */
export function conversationFor(
  chatTemplate: string | undefined,
  messages: ChatRequest["messages"],
  tools: readonly unknown[] = [],
): ChatMessage[] {
  const conversation = conversationOf(messages);
  return showsTools(chatTemplate) ? withCallIds(chatTemplate, conversation) : toolsAsText(conversation, tools);
}

/** A request's messages as chat templates expect them: text in one piece, arguments of calls as objects. */
export function conversationOf(messages: ChatRequest["messages"]): ChatMessage[] {
  return messages.map((message, i) => {
    const content = textOf(message.content);
    switch (message.role) {
      // The newer name of the same thing; no template knows it.
      case "developer":
        return { role: "system", content, ...named(message) };
      case "assistant":
        return {
          role: "assistant",
          content: content === "" ? (message.refusal ?? "") : content,
          ...named(message),
          ...(message.reasoning_content ? { reasoning_content: message.reasoning_content } : {}),
          // An empty list is something to many templates, and what they make of it loses the text.
          ...(message.tool_calls?.length
            ? { tool_calls: message.tool_calls.map((call, j) => callOf(call, `messages[${i}].tool_calls[${j}]`)) }
            : {}),
        };
      case "tool":
        return { role: "tool", content, tool_call_id: message.tool_call_id, ...nameOf(messages, message) };
      default:
        return { role: message.role, content, ...named(message) };
    }
  });
}

/** Who of several speaks: some templates write it. */
const named = ({ name }: { readonly name?: string | null | undefined }): { readonly name?: string } =>
  name === undefined || name === null ? {} : { name };

/** A content's text, in one piece. */
export function textOf(content: ChatRequestMessage["content"]): string {
  if (content === null || content === undefined) return "";
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : part.refusal)).join("");
}

type Call = NonNullable<Extract<ChatRequestMessage, { role: "assistant" }>["tool_calls"]>[number];

function callOf(call: Call, at: string): unknown {
  try {
    const { id, type, function: called } = call;
    return { id, type, function: { name: called.name, arguments: JSON.parse(called.arguments || "{}") } };
  } catch {
    throw invalid(`${at}.function.arguments`, `'${at}.function.arguments' is not JSON`);
  }
}

/** The function whose result a message is: some templates write its name, and clients send only the call's id. */
function nameOf(
  messages: ChatRequest["messages"],
  message: Extract<ChatRequestMessage, { role: "tool" }>,
): { readonly name?: string } {
  if (message.name !== undefined && message.name !== null) return { name: message.name };
  for (const each of messages) {
    const call = each.role === "assistant" && each.tool_calls?.find(({ id }) => id === message.tool_call_id);
    if (call) return { name: call.function.name };
  }
  return {};
}
