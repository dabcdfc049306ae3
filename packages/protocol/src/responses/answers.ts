import type { ApiError } from "../api-error.ts";
import type { ResponsesRequest } from "./requests.ts";

export interface ResponsesUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

export const responsesUsage = (prompt: number, said: number, cached: number, reasoning: number): ResponsesUsage => ({
  input_tokens: prompt,
  input_tokens_details: { cached_tokens: cached, cache_write_tokens: 0 },
  output_tokens: said,
  output_tokens_details: { reasoning_tokens: reasoning },
  total_tokens: prompt + said,
});

export interface OutputText {
  readonly type: "output_text";
  readonly text: string;
  readonly annotations: [];
  readonly logprobs: [];
}

export const outputText = (text: string): OutputText => ({ type: "output_text", text, annotations: [], logprobs: [] });

type ItemStatus = "in_progress" | "completed" | "incomplete";

export type OutputItem =
  | {
      readonly type: "message";
      readonly id: string;
      readonly role: "assistant";
      readonly status: ItemStatus;
      readonly content: OutputText[];
    }
  | {
      readonly type: "function_call";
      readonly id: string;
      readonly call_id: string;
      readonly name: string;
      readonly arguments: string;
      readonly status: ItemStatus;
    }
  | {
      readonly type: "reasoning";
      readonly id: string;
      readonly summary: [];
      readonly content: { type: "reasoning_text"; text: string }[];
      readonly status: ItemStatus;
    };

export interface ResponseObject {
  readonly id: string;
  readonly object: "response";
  readonly created_at: number;
  readonly status: "in_progress" | "completed" | "incomplete" | "failed";
  readonly error: { readonly code: "server_error"; readonly message: string } | null;
  readonly incomplete_details: { readonly reason: "max_output_tokens" } | null;
  readonly instructions: string | null;
  readonly max_output_tokens: number | null;
  readonly model: string;
  readonly output: readonly OutputItem[];
  readonly parallel_tool_calls: boolean;
  readonly previous_response_id: null;
  readonly store: false;
  readonly temperature: number | null;
  readonly top_p: number | null;
  readonly text: { readonly format: object };
  readonly tool_choice: string | object;
  readonly tools: readonly object[];
  readonly truncation: "disabled";
  readonly usage: ResponsesUsage | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** An answer, finished or not: the request's own fields, and what came of it. */
export function responseObject(
  head: { readonly id: string; readonly created: number; readonly model: string },
  request: ResponsesRequest,
  outcome: Pick<ResponseObject, "status"> & Partial<Pick<ResponseObject, "output" | "usage" | "error">>,
): ResponseObject {
  const { instructions, max_output_tokens, temperature, top_p, text, tools, tool_choice, metadata } = request;
  const { status, output = [], usage = null, error = null } = outcome;
  return {
    id: head.id,
    object: "response",
    created_at: head.created,
    status,
    error,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    instructions: instructions ?? null,
    max_output_tokens: max_output_tokens ?? null,
    model: head.model,
    output,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: null,
    store: false,
    temperature: temperature ?? null,
    top_p: top_p ?? null,
    text: { format: text?.format ?? { type: "text" } },
    tool_choice: tool_choice ?? "auto",
    tools: (tools ?? []).map((tool) => ({
      ...tool,
      parameters: tool.parameters ?? null,
      strict: tool.strict ?? false,
    })),
    truncation: "disabled",
    usage,
    metadata: metadata ?? {},
  };
}

/** An event of a stream, without its number. */
export type ResponseEvent =
  | {
      readonly type:
        | "response.created"
        | "response.in_progress"
        | "response.completed"
        | "response.incomplete"
        | "response.failed";
      readonly response: ResponseObject;
    }
  | {
      readonly type: "response.output_item.added" | "response.output_item.done";
      readonly output_index: number;
      readonly item: OutputItem;
    }
  | ({
      readonly type: "response.content_part.added" | "response.content_part.done";
      readonly content_index: number;
      readonly part: OutputText;
    } & OfItem)
  | ({
      readonly type: "response.output_text.delta";
      readonly content_index: number;
      readonly delta: string;
      readonly logprobs: [];
    } & OfItem)
  | ({
      readonly type: "response.output_text.done";
      readonly content_index: number;
      readonly text: string;
      readonly logprobs: [];
    } & OfItem)
  | ({
      readonly type: "response.reasoning_text.delta";
      readonly content_index: number;
      readonly delta: string;
    } & OfItem)
  | ({ readonly type: "response.reasoning_text.done"; readonly content_index: number; readonly text: string } & OfItem)
  | ({ readonly type: "response.function_call_arguments.delta"; readonly delta: string } & OfItem)
  | ({
      readonly type: "response.function_call_arguments.done";
      readonly name: string;
      readonly arguments: string;
    } & OfItem);

interface OfItem {
  readonly item_id: string;
  readonly output_index: number;
}

/** An error in the middle of a stream. */
export const responsesError = ({ code, message, param }: ApiError) => ({
  type: "error" as const,
  code,
  message,
  param,
});
