/** Why an answer ended, as llama-server says it. */
export type StopType = "none" | "eos" | "limit" | "word";

export interface InfillTimings {
  readonly prompt_n: number;
  readonly prompt_ms: number;
  readonly prompt_per_token_ms: number;
  readonly prompt_per_second: number;
  readonly predicted_n: number;
  readonly predicted_ms: number;
  readonly predicted_per_token_ms: number;
  readonly predicted_per_second: number;
}

/** Times of a prompt and of its answer, in all the ways that editors show them. */
export function infillTimings(
  prompt: { readonly tokens: number; readonly ms: number },
  answer: { readonly tokens: number; readonly ms: number },
): InfillTimings {
  const each = ({ tokens, ms }: typeof prompt): number => (tokens === 0 ? 0 : ms / tokens);
  const rate = ({ tokens, ms }: typeof prompt): number => (ms === 0 ? 0 : (tokens * 1000) / ms);
  return {
    prompt_n: prompt.tokens,
    prompt_ms: prompt.ms,
    prompt_per_token_ms: each(prompt),
    prompt_per_second: rate(prompt),
    predicted_n: answer.tokens,
    predicted_ms: answer.ms,
    predicted_per_token_ms: each(answer),
    predicted_per_second: rate(answer),
  };
}

export interface InfillAnswer {
  readonly content: string;
  readonly tokens: readonly number[];
  readonly id_slot: number;
  readonly stop: true;
  readonly model: string;
  readonly tokens_predicted: number;
  readonly tokens_evaluated: number;
  readonly tokens_cached: number;
  readonly has_new_line: boolean;
  readonly truncated: boolean;
  readonly stop_type: StopType;
  readonly stopping_word: string;
  readonly timings: InfillTimings;
}

/** A piece of an answer that is streamed. */
export const infillPiece = (content: string, said: number, prompt: number) => ({
  index: 0,
  content,
  tokens: [],
  stop: false,
  id_slot: -1,
  tokens_predicted: said,
  tokens_evaluated: prompt,
});

/** The fields that a request names, each under the path that it was named by; all of them where it names none. */
export function chosenFields(answer: object, paths: readonly string[] | null | undefined): object {
  if (!paths || paths.length === 0) return answer;
  const found = paths.map((path) => [path, path.split("/").reduce(inside, answer as unknown)] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

const inside = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
