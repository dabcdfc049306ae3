import { z } from "zod";
import { jsonObject } from "../json-value.ts";
import { editorConflicts, editorFields } from "../llama-server/editor-fields.ts";
import type { AnswerHead, ChoiceIds, PromptIds, TokenLogprob, Usage } from "./completions.ts";
import { needs, oneForm, streamOptionsNeedStream } from "./conflicts.ts";
import { oneLength } from "./length.ts";
import { samplingFields, streamOptions } from "./sampling.ts";

const textPart = z.strictObject({ type: z.literal("text"), text: z.string() });
const refusalPart = z.strictObject({ type: z.literal("refusal"), refusal: z.string() });
const content = z.union([z.string(), z.array(textPart).min(1)]);

/** What clients add to the answers that they hand out, and send back with them. */
const echo = z.unknown().optional().describe("accepted, as clients send answers back; nothing depends on it");

const toolCall = z.strictObject({
  id: z.string(),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string(), arguments: z.string(), parsed_arguments: echo }),
  index: z.int().nullish().describe("of a streamed answer's pieces; accepted, the order says it"),
});

/** What messages of any role may have. */
const ofAnyRole = {
  name: z.string().nullish(),
  type: z.literal("text").nullish().describe("some clients say it beside the content; accepted"),
};

/** A message, by its role. Pictures and sound are no text, and refused by the part's type. */
export const chatMessage = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("developer"), content, ...ofAnyRole }),
  z.strictObject({ role: z.literal("system"), content, ...ofAnyRole }),
  z.strictObject({ role: z.literal("user"), content, ...ofAnyRole }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.union([z.string(), z.array(z.union([textPart, refusalPart])).min(1)]).nullish(),
    ...ofAnyRole,
    refusal: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    tool_calls: z.array(toolCall).nullish(),
    parsed: echo,
    annotations: echo,
  }),
  z.strictObject({ role: z.literal("tool"), content, tool_call_id: z.string(), ...ofAnyRole }),
]);

const functionName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "a name has 1 to 64 letters, digits, _ and -");

const tool = z.strictObject({
  type: z.literal("function"),
  function: z.strictObject({
    name: functionName,
    description: z.string().nullish(),
    parameters: jsonObject.nullish(),
    strict: z.boolean().nullish(),
  }),
});

const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.strictObject({ type: z.literal("function"), function: z.strictObject({ name: z.string() }) }),
]);

/** The form an answer must have. */
export const responseFormat = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text") }),
  z.strictObject({ type: z.literal("json_object") }),
  z.strictObject({
    type: z.literal("json_schema"),
    json_schema: z.strictObject({
      name: z.string(),
      description: z.string().nullish(),
      schema: jsonObject,
      strict: z.boolean().nullish(),
    }),
  }),
]);

/** What templates are given under these names, requests have fields for. */
const FIELDS_OF_TEMPLATES = ["messages", "tools", "documents", "add_generation_prompt"];

/** Further variables for the model's chat template. */
export const templateVariables = jsonObject
  .superRefine((variables, context) => {
    for (const name of FIELDS_OF_TEMPLATES)
      if (Object.hasOwn(variables, name))
        context.addIssue({ code: "custom", path: [name], message: `it is a field of the request itself, '${name}'` });
  })
  .nullish()
  .describe("variables of the model's chat template");

/** `POST /v1/chat/completions`. */
export const chatRequest = z
  .strictObject({
    model: z.string().nullish().describe("the first one, unless said"),
    messages: z.array(chatMessage).min(1),
    max_tokens: z
      .int()
      .min(-1)
      .refine((most) => most !== 0, "an answer has at least one token; -1 is as many as there is room for")
      .nullish(),
    max_completion_tokens: z
      .int()
      .min(1)
      .nullish()
      .describe("unless said, as many as the checkpoint says, or the context has room for"),
    logprobs: z.boolean().nullish(),
    top_logprobs: z.int().min(0).max(20).nullish(),
    tools: z.array(tool).max(128).nullish(),
    tool_choice: toolChoice.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    response_format: responseFormat.nullish(),
    stream: z.boolean().nullish(),
    stream_options: streamOptions,
    prediction: z
      .strictObject({ type: z.literal("content"), content: z.union([z.string(), z.array(textPart).min(1)]) })
      .nullish()
      .describe("what the answer may look like: the same text, in fewer steps where it does"),
    modalities: z.array(z.literal("text")).nullish(),
    metadata: z.record(z.string(), z.string()).nullish().describe("accepted; nothing depends on it"),
    store: z.literal(false, "answers are not stored here; leave it out").nullish(),
    prompt_cache_key: z.string().nullish().describe("accepted; equal beginnings are found without it"),
    safety_identifier: z.string().nullish().describe("accepted; nothing depends on it"),
    service_tier: z.enum(["auto", "default"]).nullish(),
    chat_template_kwargs: templateVariables,
    add_generation_prompt: z.boolean().nullish(),
    continue_final_message: z.boolean().nullish(),
    documents: z.array(jsonObject).nullish(),
    ...samplingFields,
    ...editorFields,
  })
  .superRefine((request, context) => {
    streamOptionsNeedStream(request, context);
    oneForm(request, context);
    oneLength(request, context);
    editorConflicts(request, context);
    if (request.parallel_tool_calls !== undefined && request.parallel_tool_calls !== null && !request.tools?.length)
      needs(context, "parallel_tool_calls", "'tools'");
    if (request.top_logprobs && !request.logprobs) needs(context, "top_logprobs", "'logprobs': true");
  })
  .describe("A conversation to go on with");

export type ChatRequest = z.output<typeof chatRequest>;
export type ChatRequestMessage = z.output<typeof chatMessage>;

export type ChatFinish = "stop" | "length" | "tool_calls";

export interface ChatLogprobs {
  readonly content: {
    readonly token: string;
    readonly bytes: number[];
    readonly logprob: number;
    readonly top_logprobs: { readonly token: string; readonly bytes: number[]; readonly logprob: number }[];
  }[];
  readonly refusal: null;
}

/** What OpenAI's own says of a token whose log-probability it doesn't tell: 0 would be certainty. */
const UNTOLD = -9999;

export function chatLogprobs(tokens: readonly TokenLogprob[]): ChatLogprobs {
  return {
    content: tokens.map(({ token, bytes, logprob, top }) => ({
      token,
      bytes: [...bytes],
      logprob: logprob ?? UNTOLD,
      top_logprobs: top.map((each) => ({ token: each.token, bytes: [...each.bytes], logprob: each.logprob })),
    })),
    refusal: null,
  };
}

export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface ChatChoice extends ChoiceIds {
  readonly index: number;
  readonly message: {
    readonly role: "assistant";
    readonly content: string | null;
    readonly refusal: null;
    readonly reasoning_content?: string;
    readonly tool_calls?: ToolCall[];
  };
  readonly logprobs: ChatLogprobs | null;
  readonly finish_reason: ChatFinish;
}

/** One of the answers to a conversation. */
export function chatChoice(
  index: number,
  said: { readonly text: string; readonly reasoning: string; readonly calls: ToolCall[] },
  finish: ChatFinish,
  logprobs: ChatLogprobs | null = null,
  ids: ChoiceIds = {},
): ChatChoice {
  const { text, reasoning, calls } = said;
  return {
    index,
    message: {
      role: "assistant",
      content: text === "" && calls.length > 0 ? null : text,
      refusal: null,
      ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
    logprobs,
    finish_reason: finish,
    ...ids,
  };
}

export interface ChatCompletion extends AnswerHead, PromptIds {
  readonly object: "chat.completion";
  readonly system_fingerprint: string;
  readonly choices: ChatChoice[];
  readonly usage: Usage;
}

export function chatCompletion(
  head: AnswerHead,
  fingerprint: string,
  choices: ChatChoice[],
  usage: Usage,
  ids: PromptIds = {},
): ChatCompletion {
  return { ...head, object: "chat.completion", system_fingerprint: fingerprint, choices, usage, ...ids };
}

export interface ChatDelta {
  readonly role?: "assistant";
  readonly content?: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: {
    readonly index: number;
    readonly id?: string;
    readonly type?: "function";
    readonly function: { readonly name?: string; readonly arguments?: string };
  }[];
}

export interface ChatChunk extends AnswerHead, PromptIds {
  readonly object: "chat.completion.chunk";
  readonly system_fingerprint: string;
  readonly choices: (ChoiceIds & {
    readonly index: number;
    readonly delta: ChatDelta;
    readonly logprobs: ChatLogprobs | null;
    readonly finish_reason: ChatFinish | null;
  })[];
  readonly usage?: Usage | null;
}

/** A piece of a streamed answer. The last one of all has usage and no choice, where usage was asked for. */
export function chatChunk(
  head: AnswerHead,
  fingerprint: string,
  choice?: {
    readonly index: number;
    readonly delta: ChatDelta;
    readonly logprobs?: ChatLogprobs | null;
    readonly finish?: ChatFinish;
    readonly ids?: ChoiceIds;
  },
  usage?: Usage | null,
): ChatChunk {
  return {
    ...head,
    object: "chat.completion.chunk",
    system_fingerprint: fingerprint,
    choices: choice
      ? [
          {
            index: choice.index,
            delta: choice.delta,
            logprobs: choice.logprobs ?? null,
            finish_reason: choice.finish ?? null,
            ...choice.ids,
          },
        ]
      : [],
    ...(usage === undefined ? {} : { usage }),
  };
}
