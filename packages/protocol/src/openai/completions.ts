import { z } from "zod";
import { oneForm, streamOptionsNeedStream } from "./conflicts.ts";
import { oneLength } from "./length.ts";
import { samplingFields, streamOptions } from "./sampling.ts";

const ids = z.array(z.int().min(0)).min(1);

/** `POST /v1/completions`. */
export const completionRequest = z
  .strictObject({
    model: z.string(),
    prompt: z.union([z.string(), z.array(z.string()).min(1), ids, z.array(ids).min(1)]).nullish(),
    suffix: z.string().nullish().describe("what follows: the answer fills the gap, for models trained to"),
    max_tokens: z.int().min(0).nullish(),
    best_of: z.int().min(1).max(128).nullish(),
    echo: z.boolean().nullish(),
    logprobs: z.int().min(0).max(20).nullish(),
    stream: z.boolean().nullish(),
    stream_options: streamOptions,
    ...samplingFields,
  })
  .superRefine((request, context) => {
    streamOptionsNeedStream(request, context);
    oneForm(request, context);
    oneLength(request, context);
  })
  .describe("A text to go on with");

export type CompletionRequest = z.output<typeof completionRequest>;

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens: number };
}

/** Tokens counted as OpenAI counts them. How many were in the cache is told at the end. */
export function usageOf(promptTokens: number, completionTokens: number, cachedTokens?: number): Usage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...(cachedTokens === undefined ? {} : { prompt_tokens_details: { cached_tokens: cachedTokens } }),
  };
}

/** A token with its log-probability and the best beside it; absent for a prompt's first, which nothing predicts. */
export interface TokenLogprob {
  readonly token: string;
  readonly bytes: readonly number[];
  readonly logprob: number | null;
  readonly top: readonly { readonly token: string; readonly bytes: readonly number[]; readonly logprob: number }[];
}

export interface CompletionLogprobs {
  readonly tokens: string[];
  readonly token_logprobs: (number | null)[];
  readonly top_logprobs: (Record<string, number> | null)[];
  readonly text_offset: number[];
}

/** The four parallel lists of the older interface. @param offsets where each token begins in the text */
export function completionLogprobs(tokens: readonly TokenLogprob[], offsets: readonly number[]): CompletionLogprobs {
  return {
    tokens: tokens.map(nameOf),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map((each) => (each.logprob === null ? null : topOf(each, each.logprob))),
    text_offset: [...offsets],
  };
}

/** The best tokens by their names, and the one that came, though it may be none of them. */
function topOf(token: TokenLogprob, logprob: number): Record<string, number> {
  const named = new Map<string, number>();
  // What several tokens are called is the likeliest of them, and the one that came before all.
  for (const each of token.top) if (!named.has(nameOf(each))) named.set(nameOf(each), each.logprob);
  return Object.fromEntries(named.set(nameOf(token), logprob));
}

/** A token's text, or its bytes where they are no whole characters: what several of them would be called alike by. */
function nameOf({ token, bytes }: Pick<TokenLogprob, "token" | "bytes">): string {
  if (!token.includes("\ufffd") || Buffer.from(token).equals(Uint8Array.from(bytes))) return token;
  return `bytes:${bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}`;
}

export type CompletionFinish = "stop" | "length";

export interface CompletionChoice extends ChoiceIds, PromptIds {
  readonly text: string;
  readonly index: number;
  readonly logprobs: CompletionLogprobs | null;
  readonly finish_reason: CompletionFinish;
}

/** The ids behind a text, where `return_token_ids` asks for them. */
export interface ChoiceIds {
  readonly token_ids?: readonly number[];
}

/** Those behind the prompt; of a stream, its first piece has them. */
export interface PromptIds {
  readonly prompt_token_ids?: readonly number[];
}

/** What is the same in every piece of one answer. */
export interface AnswerHead {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
}

export interface Completion extends AnswerHead {
  readonly object: "text_completion";
  readonly system_fingerprint: string;
  readonly choices: CompletionChoice[];
  readonly usage: Usage;
}

export function completion(
  head: AnswerHead,
  fingerprint: string,
  choices: CompletionChoice[],
  usage: Usage,
): Completion {
  return { ...head, object: "text_completion", system_fingerprint: fingerprint, choices, usage };
}

export interface CompletionChunk extends AnswerHead {
  readonly object: "text_completion";
  readonly system_fingerprint: string;
  readonly choices: (Omit<CompletionChoice, "finish_reason"> & { readonly finish_reason: CompletionFinish | null })[];
  readonly usage?: Usage | null;
}

/** A piece of a streamed completion. `usage` is null in pieces before the last when usage was asked for. */
export function completionChunk(
  head: AnswerHead,
  fingerprint: string,
  choice: CompletionChunk["choices"][number] | undefined,
  usage?: Usage | null,
): CompletionChunk {
  const choices = choice ? [choice] : [];
  return {
    ...head,
    object: "text_completion",
    system_fingerprint: fingerprint,
    choices,
    ...(usage === undefined ? {} : { usage }),
  };
}
