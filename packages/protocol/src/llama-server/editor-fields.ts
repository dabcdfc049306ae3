import { z } from "zod";
import { refuse } from "../openai/conflicts.ts";

const off = <T extends number>(value: T) => z.literal(value, `it isn't offered here, and off at ${value}`).nullish();
const ofWhatIsOff = z.number().nullish().describe("of what is off; accepted");

/** What llama.vim and llama.vscode send with chats besides OpenAI's fields: llama-server's, with what isn't offered here off. */
export const editorFields = {
  id_slot: z.int().nullish().describe("accepted; equal beginnings are found in any slot"),
  cache_prompt: z.boolean().nullish().describe("equal beginnings are always found again"),
  samplers: z
    .union([z.string(), z.array(z.string())])
    .nullish()
    .describe("the order is fixed here; the list is accepted"),
  n_predict: z.int().min(-1).nullish().describe("as `max_tokens`; 0 reads the prompt, for the next request"),
  response_fields: z.array(z.string()).nullish().describe("what to answer with, where it isn't streamed"),
  t_max_prompt_ms: z.number().nullish().describe("accepted; a prompt is always read to its end"),
  timings_per_token: z.literal(false, "times are told by /metrics; leave it out").nullish(),
  repeat_penalty: z.literal(1, "say it by 'repetition_penalty', which looks at the whole text").nullish(),
  repeat_last_n: z.int().min(-1).nullish().describe("-1 where there is a penalty: it looks at the whole text"),
  dynatemp_range: off(0),
  dynatemp_exponent: ofWhatIsOff,
  xtc_probability: off(0),
  xtc_threshold: ofWhatIsOff,
  dry_multiplier: off(0),
  dry_base: ofWhatIsOff,
  dry_allowed_length: ofWhatIsOff,
  dry_penalty_last_n: ofWhatIsOff,
} as const;

interface Edited {
  readonly stream?: boolean | null | undefined;
  readonly n_predict?: number | null | undefined;
  readonly response_fields?: readonly string[] | null | undefined;
  readonly repeat_last_n?: number | null | undefined;
  readonly presence_penalty?: number | null | undefined;
  readonly frequency_penalty?: number | null | undefined;
  readonly repetition_penalty?: number | null | undefined;
}

/** Refuses what these fields would mean elsewhere, beside others. */
export function editorConflicts(request: Edited, context: z.RefinementCtx): void {
  const { stream, n_predict: most, response_fields: fields, repeat_last_n: reach, ...penalties } = request;
  const { presence_penalty, frequency_penalty, repetition_penalty } = penalties;
  if (stream && most === 0) refuse(context, "n_predict", "'n_predict' of 0 says nothing that could be streamed");
  if (stream && fields?.length)
    refuse(context, "response_fields", "'response_fields' choose of a whole answer, not of a stream");
  const isPenalised = presence_penalty || frequency_penalty || (repetition_penalty ?? 1) !== 1;
  if (isPenalised && (reach ?? -1) !== -1)
    refuse(context, "repeat_last_n", "'repeat_last_n' must be -1 beside a penalty, which looks at the whole text here");
}
