import { invalid } from "../api-error.ts";
import type { ChatRequest, ChatRequestMessage } from "../openai/chat.ts";
import type { CountTokensRequest, MessagesRequest } from "./requests.ts";

/** The same request in OpenAI's form, which is what models' templates are asked with. */
export function chatOfMessages(request: MessagesRequest | CountTokensRequest): ChatRequest {
  const { model, system, tools, tool_choice: choice, thinking, output_config: output } = request;
  const about = textOf(system ?? "");
  const before: ChatRequestMessage[] = about === "" ? [] : [{ role: "system", content: about }];
  const said = joined(request.messages.flatMap(messagesOf));
  const begun = answerBegun(said.at(-1));
  if (begun === "") said.pop();
  if (said.length === 0) throw invalid("messages", "'messages' has nothing in it that could be answered");
  return {
    model,
    messages: [...before, ...said],
    ...(begun ? { continue_final_message: true } : {}),
    ...(tools && tools.length > 0
      ? {
          tools: tools.map(({ name, description, strict, input_schema: parameters }) => ({
            type: "function" as const,
            function: { name, parameters, ...(description ? { description } : {}), ...(strict ? { strict } : {}) },
          })),
        }
      : {}),
    ...(output?.format
      ? { response_format: { type: "json_schema", json_schema: { name: "answer", schema: output.format.schema } } }
      : {}),
    // What templates of models that may think ask for it by.
    ...(thinking ? { chat_template_kwargs: { enable_thinking: false } } : {}),
    ...(choice ? { tool_choice: choiceOf(choice) } : {}),
    ...(choice && choice.type !== "none" && choice.disable_parallel_tool_use ? { parallel_tool_calls: false } : {}),
    ...("max_tokens" in request ? samplingOf(request) : {}),
  };
}

/** What a conversation that ends with the assistant's words begins its answer with; nothing where it doesn't. */
function answerBegun(last: ChatRequestMessage | undefined): string | undefined {
  if (last?.role !== "assistant" || last.tool_calls) return undefined;
  const text = last.content as string;
  return text === "" && last.reasoning_content ? undefined : text;
}

function samplingOf(request: MessagesRequest): Partial<ChatRequest> {
  const { max_tokens, temperature, top_k, top_p, stop_sequences: stop } = request;
  return { max_tokens, temperature, top_k, top_p, ...(stop && stop.length > 0 ? { stop } : {}) };
}

type Choice = NonNullable<MessagesRequest["tool_choice"]>;

function choiceOf(choice: Choice): NonNullable<ChatRequest["tool_choice"]> {
  if (choice.type === "tool") return { type: "function", function: { name: choice.name } };
  return choice.type === "any" ? "required" : choice.type;
}

type Message = MessagesRequest["messages"][number];

/** One message as one or more: results of tools, which are blocks here, are messages there. */
function messagesOf(message: Message): ChatRequestMessage[] {
  if (typeof message.content === "string") return [{ role: message.role, content: message.content }];
  if (message.role === "assistant") return [assistantOf(message.content)];
  const said: ChatRequestMessage[] = [];
  for (const block of message.content) {
    if (block.type === "text") said.push({ role: "user", content: block.text });
    else {
      const result = textOf(block.content ?? "");
      // No template knows of failures: the model reads that it was one.
      const content = block.is_error ? `Error: ${result}` : result;
      said.push({ role: "tool", tool_call_id: block.tool_use_id, content });
    }
  }
  return said;
}

type AssistantBlock = Exclude<Extract<Message, { role: "assistant" }>["content"], string>[number];

function assistantOf(blocks: readonly AssistantBlock[]): ChatRequestMessage {
  const calls = blocks.flatMap((block) =>
    block.type === "tool_use"
      ? [
          {
            id: block.id,
            type: "function" as const,
            function: { name: block.name, arguments: JSON.stringify(block.input) },
          },
        ]
      : [],
  );
  const thinking = blocks.map((block) => (block.type === "thinking" ? block.thinking : "")).join("");
  return {
    role: "assistant",
    content: blocks.map((block) => (block.type === "text" ? block.text : "")).join(""),
    ...(thinking === "" ? {} : { reasoning_content: thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

/** What one role says in a row is one message: many templates refuse two of them. */
function joined(messages: readonly ChatRequestMessage[]): ChatRequestMessage[] {
  const all: ChatRequestMessage[] = [];
  for (const message of messages) {
    const last = all.at(-1);
    if (last?.role === "user" && message.role === "user")
      all[all.length - 1] = { role: "user", content: `${last.content}\n${message.content}` };
    else if (last?.role === "assistant" && message.role === "assistant") all[all.length - 1] = oneTurn(last, message);
    else all.push(message);
  }
  return all;
}

type Assistant = Extract<ChatRequestMessage, { role: "assistant" }>;

function oneTurn(first: Assistant, second: Assistant): Assistant {
  const calls = [...(first.tool_calls ?? []), ...(second.tool_calls ?? [])];
  const thinking = `${first.reasoning_content ?? ""}${second.reasoning_content ?? ""}`;
  return {
    role: "assistant",
    content: `${first.content}${second.content}`,
    ...(thinking === "" ? {} : { reasoning_content: thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

const textOf = (content: string | readonly { readonly text: string }[]): string =>
  typeof content === "string" ? content : content.map(({ text }) => text).join("\n");
