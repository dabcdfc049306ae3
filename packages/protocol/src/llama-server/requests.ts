import { z } from "zod";
import { jsonObject } from "../json-value.ts";
import { chatMessage, templateVariables } from "../openai/chat.ts";

/** `POST /tokenize`. */
export const tokenizeRequest = z.strictObject({
  content: z.string(),
  add_special: z.boolean().nullish(),
  parse_special: z.boolean().nullish(),
  with_pieces: z.boolean().nullish(),
  model: z.string().nullish(),
});

/** `POST /detokenize`. */
export const detokenizeRequest = z.strictObject({ tokens: z.array(z.int().min(0)), model: z.string().nullish() });

/** `POST /apply-template`. */
export const applyTemplateRequest = z.strictObject({
  messages: z.array(chatMessage).min(1),
  tools: z.array(jsonObject).nullish(),
  add_generation_prompt: z.boolean().nullish(),
  chat_template_kwargs: templateVariables,
  model: z.string().nullish(),
});

/** A part of another file. */
const extra = z.strictObject({
  filename: z.string().nullish(),
  text: z.string(),
  time: z
    .union([z.number(), z.array(z.number())])
    .nullish()
    .describe("accepted, in whatever unit; the order says what is the most recent"),
});

/** `POST /infill`: what llama.vim and llama.vscode send. */
export const infillRequest = z.strictObject({
  input_prefix: z.string(),
  input_suffix: z.string(),
  input_extra: z.array(extra).nullish(),
  prompt: z.string().nullish(),
  n_predict: z.int().min(-1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_k: z.int().min(0).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.array(z.string()).nullish(),
  stream: z.boolean().nullish(),
  samplers: z.array(z.string()).nullish().describe("the order is fixed here; the list is accepted"),
  cache_prompt: z.boolean().nullish().describe("equal beginnings are always found again"),
  n_indent: z.int().min(0).nullish().describe("a line that is indented less ends the answer"),
  t_max_prompt_ms: z.number().nullish().describe("accepted; a prompt is always read to its end"),
  t_max_predict_ms: z.number().min(0).nullish().describe("after so long the answer ends with its line"),
  response_fields: z.array(z.string()).nullish().describe("what to answer with; `timings/prompt_n` reaches inside"),
  id_slot: z.int().nullish().describe("accepted; equal beginnings are found in any slot"),
  model: z.string().nullish(),
});

export type InfillRequest = z.output<typeof infillRequest>;
