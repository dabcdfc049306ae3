import type { ChatRequest, ChatRequestMessage } from "../openai/chat.ts";
import type { ResponsesRequest } from "./requests.ts";

/** The same request in the form of chat completions, which is what models' templates are asked with. */
export function chatOfResponses(request: ResponsesRequest): ChatRequest {
  const { model, input, instructions, max_output_tokens, temperature, top_p, tools, tool_choice: choice } = request;
  const before: ChatRequestMessage[] = instructions ? [{ role: "system", content: instructions }] : [];
  const said = typeof input === "string" ? [{ role: "user" as const, content: input }] : conversationOf(input);
  const format = request.text?.format;
  return {
    model,
    messages: [...before, ...said],
    max_completion_tokens: max_output_tokens,
    temperature,
    top_p,
    parallel_tool_calls: request.parallel_tool_calls,
    ...(tools && tools.length > 0
      ? { tools: tools.map(({ type, ...described }) => ({ type, function: described })) }
      : {}),
    ...(choice
      ? { tool_choice: typeof choice === "string" ? choice : { type: "function", function: { name: choice.name } } }
      : {}),
    ...(format ? { response_format: formatOf(format) } : {}),
  };
}

type Format = NonNullable<NonNullable<ResponsesRequest["text"]>["format"]>;

function formatOf(format: Format): NonNullable<ChatRequest["response_format"]> {
  if (format.type !== "json_schema") return format;
  const { type, ...schema } = format;
  return { type, json_schema: schema };
}

type Item = Exclude<ResponsesRequest["input"], string>[number];
type Assistant = Extract<ChatRequestMessage, { role: "assistant" }>;

/** Items as messages: what the model thought, said and called in one turn are one message of its own. */
function conversationOf(items: readonly Item[]): ChatRequestMessage[] {
  const messages: ChatRequestMessage[] = [];
  const assistant = (more: (before: Assistant) => Assistant): void => {
    const last = messages.at(-1);
    if (last?.role === "assistant") messages[messages.length - 1] = more(last);
    else messages.push(more({ role: "assistant", content: "" }));
  };
  for (const item of items) {
    if ("role" in item) {
      const { role, content } = item;
      const text = typeof content === "string" ? content : content.map(textOf).join("");
      if (role === "assistant") assistant((before) => ({ ...before, content: `${before.content ?? ""}${text}` }));
      else messages.push({ role, content: text });
    } else if (item.type === "function_call") {
      const call = {
        id: item.call_id,
        type: "function" as const,
        function: { name: item.name, arguments: item.arguments },
      };
      assistant((before) => ({ ...before, tool_calls: [...(before.tool_calls ?? []), call] }));
    } else if (item.type === "function_call_output") {
      const { call_id, output } = item;
      const content = typeof output === "string" ? output : output.map(({ text }) => text).join("");
      messages.push({ role: "tool", tool_call_id: call_id, content });
    } else {
      const thought = (item.content ?? item.summary ?? []).map(({ text }) => text).join("");
      assistant((before) => ({ ...before, reasoning_content: `${before.reasoning_content ?? ""}${thought}` }));
    }
  }
  return messages;
}

const textOf = (part: { readonly text: string } | { readonly refusal: string }): string =>
  "text" in part ? part.text : part.refusal;
