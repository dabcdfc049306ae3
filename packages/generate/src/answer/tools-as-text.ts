import type { ChatMessage } from "../text/tokenizer.ts";
import { type AnswerFormats, type CallFormat, callFormat, callFormatOf, type Tool } from "./formats.ts";

/** Whether a chat template tells the model of the functions it may call: one that never names `tools` passes over them. */
export const showsTools = (chatTemplate: string | undefined): boolean => chatTemplate?.includes("tools") ?? false;

/** How a model with this template is to write calls: as it was taught, or as it is told where nothing shows that. */
export const callFormatFor = (chatTemplate: string | undefined): CallFormat =>
  showsTools(chatTemplate) ? callFormatOf(chatTemplate) : callFormat("json");

/** How calls of tools are written, and which there are; any may be, where a tool doesn't say its name. */
export function callsOf(
  tools: readonly unknown[],
  chatTemplate: string | undefined,
): Pick<AnswerFormats, "calls" | "tools"> {
  const functions = tools.map(functionOf);
  const areNamed = functions.every((each): each is Tool => typeof each.name === "string");
  return { calls: callFormatFor(chatTemplate), ...(areNamed ? { tools: functions } : {}) };
}

/** The function that a tool is, by itself or within OpenAI's `{ type: "function", function }`. */
function functionOf(tool: unknown): Partial<Tool> {
  const { function: called = tool } = (tool ?? {}) as { readonly function?: unknown };
  return (called ?? {}) as Partial<Tool>;
}

/** For templates that know nothing of tools: the functions, the calls and their results as what the conversation says. */
export function toolsAsText(messages: readonly ChatMessage[], tools: readonly unknown[]): ChatMessage[] {
  const said: ChatMessage[] = [];
  for (const [i, each] of messages.entries()) {
    const message = asText(each);
    const last = said.at(-1);
    // Several results, and what is said to them, are one turn: many templates refuse two.
    const results = each.role === "tool" || messages[i - 1]?.role === "tool";
    if (results && last?.role === "user" && message.role === "user")
      said[said.length - 1] = { ...last, content: `${textOf(last)}\n${textOf(message)}` };
    else said.push(message);
  }
  return tools.length === 0 ? said : toldOf(tools, said);
}

interface Call {
  readonly function: { readonly name: string; readonly arguments: unknown };
}

/** What a message says, in one piece. */
function textOf({ content }: ChatMessage): string {
  if (!Array.isArray(content)) return String(content ?? "");
  return content.map((part: { readonly text?: unknown }) => String(part.text ?? "")).join("");
}

function asText({ tool_calls: calls, ...message }: ChatMessage): ChatMessage {
  if (message.role === "tool")
    return { role: "user", content: `Result of ${message.name ?? "the call"}: ${textOf(message)}` };
  if (!Array.isArray(calls) || calls.length === 0) return message;
  const written = (calls as readonly Call[]).map(({ function: { name, arguments: given } }) =>
    // As OpenAI has them, arguments are text that is JSON already.
    typeof given === "string"
      ? `{"name":${JSON.stringify(name)},"arguments":${given || "{}"}}`
      : JSON.stringify({ name, arguments: given }),
  );
  const text = written.length === 1 ? written[0] : `[${written.join(", ")}]`;
  const before = textOf(message);
  return { ...message, content: before ? `${before}\n${text}` : text };
}

/** The functions, before whatever comes first: not every template takes a system message that nobody sent. */
function toldOf(tools: readonly unknown[], said: readonly ChatMessage[]): ChatMessage[] {
  const functions = tools.map((tool) => JSON.stringify(functionOf(tool)));
  const text = `You can call these functions:
${functions.join("\n")}
To call one, answer with nothing but {"name": its name, "arguments": an object of its arguments}, in JSON; to call several, with an array of these.`;
  const [first, ...rest] = said;
  if (first?.role !== "system" && first?.role !== "user") return [{ role: "system", content: text }, ...said];
  const parts = first.role === "system" ? [textOf(first), text] : [text, textOf(first)];
  return [{ ...first, content: parts.join("\n\n") }, ...rest];
}
