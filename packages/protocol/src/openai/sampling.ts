import { z } from "zod";
import { jsonObject } from "../json-value.ts";

const finite = z.number();
const stopText = z.string().min(1, "an empty text stands everywhere, and would end nothing");

/** Sampling options that completions and chat share: OpenAI's, then those that local engines add. */
export const samplingFields = {
  temperature: finite.min(0).max(2).nullish().describe("0 is greedy"),
  top_p: finite.min(0).max(1).nullish(),
  frequency_penalty: finite.min(-2).max(2).nullish(),
  presence_penalty: finite.min(-2).max(2).nullish(),
  logit_bias: z.record(z.string().regex(/^\d+$/, "a token id is a whole number"), finite.min(-100).max(100)).nullish(),
  seed: z.int().nullish(),
  stop: z.union([stopText, z.array(stopText).max(16)]).nullish(),
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
  input_len: z.int().min(1).nullish().describe("of a longer prompt only the last so many tokens are read"),
  greedy: z.boolean().nullish().describe("the likeliest token, always; false draws"),
  speculate: z
    .boolean()
    .nullish()
    .describe("guess from what was said before: the same text, in fewer steps where it repeats"),
  max_new_tokens: z.int().min(1).nullish().describe("as `max_tokens`"),
  generation_len: z.int().min(1).nullish().describe("as `max_tokens`"),
  json_schema: jsonObject
    .nullish()
    .describe("the answer is JSON by this schema; chats can say so by `response_format`, too"),
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
    input_len,
    json_schema,
    ...same
  } = rest;
  const { temperature, seed, stop, greedy, speculate, regex, choice, grammar } = same;
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
    inputLen: input_len,
    greedy,
    speculate,
    jsonSchema: json_schema,
    regex,
    choice,
    grammar,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== null));
}

const samplingObject = z.object(samplingFields);
