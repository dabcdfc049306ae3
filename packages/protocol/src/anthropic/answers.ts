import type { ApiError } from "../api-error.ts";

export interface MessagesUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
}

/** Tokens counted as Anthropic counts them: what was found in the cache is no input. */
export const messagesUsage = (prompt: number, said: number, cached: number): MessagesUsage => ({
  input_tokens: prompt - cached,
  output_tokens: said,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: cached,
});

export type MessageBlock =
  | { readonly type: "text"; readonly text: string; readonly citations: null }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown };

export type StopReason = "end_turn" | "max_tokens" | "stop_sequence" | "tool_use";

export interface AnthropicMessage {
  readonly id: string;
  readonly type: "message";
  readonly role: "assistant";
  readonly model: string;
  readonly content: readonly MessageBlock[];
  readonly stop_reason: StopReason | null;
  readonly stop_sequence: string | null;
  readonly usage: MessagesUsage;
}

export interface MessageEnd {
  readonly stop_reason: StopReason | null;
  readonly stop_sequence: string | null;
}

export function anthropicMessage(
  head: { readonly id: string; readonly model: string },
  content: readonly MessageBlock[],
  end: MessageEnd,
  usage: MessagesUsage,
): AnthropicMessage {
  return { id: head.id, type: "message", role: "assistant", model: head.model, content, ...end, usage };
}

export type MessageEvent =
  | { readonly type: "message_start"; readonly message: AnthropicMessage }
  | { readonly type: "content_block_start"; readonly index: number; readonly content_block: MessageBlock }
  | {
      readonly type: "content_block_delta";
      readonly index: number;
      readonly delta:
        | { readonly type: "text_delta"; readonly text: string }
        | { readonly type: "thinking_delta"; readonly thinking: string }
        | { readonly type: "input_json_delta"; readonly partial_json: string };
    }
  | { readonly type: "content_block_stop"; readonly index: number }
  | { readonly type: "message_delta"; readonly delta: MessageEnd; readonly usage: MessagesUsage }
  | { readonly type: "message_stop" };

const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
};

export interface AnthropicError {
  readonly type: "error";
  readonly error: { readonly type: string; readonly message: string };
  readonly request_id: string;
}

/** An error in the form that Anthropic's clients read. */
export function anthropicError({ status, message }: ApiError, requestId: string): AnthropicError {
  const type = ERROR_TYPES[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  return { type: "error", error: { type, message }, request_id: requestId };
}
