import { z } from "zod";
import { invalid } from "../api-error.ts";

const finite = z.number();

/** Sampling options that completions and chat share: OpenAI's, then those that local engines add. */
export const samplingFields = {
  temperature: finite.min(0).max(2).nullish().describe("0 is greedy"),
  top_p: finite.min(0).max(1).nullish(),
  frequency_penalty: finite.min(-2).max(2).nullish(),
  presence_penalty: finite.min(-2).max(2).nullish(),
  logit_bias: z.record(z.string().regex(/^\d+$/, "a token id is a whole number"), finite.min(-100).max(100)).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  n: z.int().min(1).max(128).nullish(),
  user: z.string().nullish().describe("accepted; nothing depends on it"),
  top_k: z.int().min(0).nullish(),
  min_p: finite.min(0).max(1).nullish(),
  typical_p: finite.min(0).max(1).nullish(),
  repetition_penalty: finite.positive().nullish(),
  no_repeat_ngram_size: z.int().min(0).nullish(),
  min_tokens: z.int().min(0).nullish(),
  stop_token_ids: z.array(z.int().min(0)).nullish(),
  ignore_eos: z.boolean().nullish(),
  skip_special_tokens: z.boolean().nullish(),
  truncate_prompt: z.enum(["left", "middle"]).nullish(),
  regex: z.string().nullish().describe("the answer matches this expression as a whole"),
  choice: z.array(z.string()).min(1).nullish().describe("the answer is one of these"),
  grammar: z.string().nullish().describe("the answer matches `root` of this grammar, in llama.cpp's notation"),
  return_token_ids: z.boolean().nullish().describe("choices have `token_ids` and `prompt_token_ids`"),
} as const;

export const streamOptions = z
  .strictObject({
    include_usage: z.boolean().nullish().describe("a last piece tells how many tokens there were"),
    continuous_usage_stats: z.boolean().nullish().describe("every piece tells how many there are so far"),
    include_obfuscation: z.literal(false, "nothing is obfuscated here; leave it out").nullish(),
  })
  .nullish();

/** Says that a field means nothing without another. */
export function needs(context: z.RefinementCtx, field: string, other: string): void {
  const error = invalid(field, `'${field}' means nothing without ${other}`);
  context.addIssue({ code: "custom", path: [field], message: error.message, params: { error } });
}

interface Streamed {
  readonly stream?: boolean | null | undefined;
  readonly stream_options?: object | null | undefined;
}

export function streamOptionsNeedStream({ stream, stream_options }: Streamed, context: z.RefinementCtx): void {
  if (stream_options && !stream) needs(context, "stream_options", "'stream': true");
}

interface Formed {
  readonly response_format?: { readonly type: string } | null | undefined;
  readonly regex?: string | null | undefined;
  readonly choice?: readonly string[] | null | undefined;
  readonly grammar?: string | null | undefined;
}

/** An answer has one form. */
export function oneForm({ response_format, regex, choice, grammar }: Formed, context: z.RefinementCtx): void {
  const forms = { response_format: response_format?.type === "text" ? null : response_format, regex, choice, grammar };
  const [first, second] = Object.entries(forms).flatMap(([name, form]) =>
    form === null || form === undefined ? [] : [name],
  );
  if (first === undefined || second === undefined) return;
  const error = invalid(second, `'${second}' can't be asked for together with '${first}'; choose one form`);
  context.addIssue({ code: "custom", path: [second], message: error.message, params: { error } });
}

/** The sampling options that a body gives, under the engine's names; what is null or absent isn't there. */
export function samplingOf(body: z.output<typeof samplingObject>): Readonly<Record<string, unknown>> {
  const {
    top_p,
    frequency_penalty,
    presence_penalty,
    logit_bias,
    top_k,
    min_p,
    typical_p,
    repetition_penalty,
    ...rest
  } = body;
  const {
    no_repeat_ngram_size,
    min_tokens,
    stop_token_ids,
    ignore_eos,
    skip_special_tokens,
    truncate_prompt,
    ...same
  } = rest;
  const { temperature, seed, stop, regex, choice, grammar } = same;
  const all = {
    temperature,
    topP: top_p,
    frequencyPenalty: frequency_penalty,
    presencePenalty: presence_penalty,
    logitBias: logit_bias,
    seed,
    stop,
    topK: top_k,
    minP: min_p,
    typicalP: typical_p,
    repetitionPenalty: repetition_penalty,
    noRepeatNgramSize: no_repeat_ngram_size,
    minNewTokens: min_tokens,
    stopTokens: stop_token_ids,
    ignoreEos: ignore_eos,
    skipSpecialTokens: skip_special_tokens,
    truncatePrompt: truncate_prompt,
    regex,
    choice,
    grammar,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== null));
}

const samplingObject = z.object(samplingFields);
