import { apart, type GenerateOptions } from "@llm/generate";
import { type CompletionRequest, invalid, lengthOf, samplingOf, unsupported } from "@llm/protocol";
import type { Generator } from "@llm/toolchain";
import { type Ask, stateOf, times } from "../engine/answers.ts";
import { checkIds } from "./check-ids.ts";
import { refuseHopeless } from "./too-long.ts";

/** What OpenAI gives where nothing is said. */
const DEFAULT_TOKENS = 16;

/** How many answers a request asks for. */
export function countOf({ prompt, suffix, n, best_of: best }: CompletionRequest): number {
  const several = Array.isArray(prompt) && typeof prompt[0] !== "number" && typeof suffix !== "string";
  return (several ? prompt.length : 1) * Math.max(n ?? 1, best ?? 1);
}

/** The field that asks for the most of them. */
export function severalOf({ prompt, n, best_of: best }: CompletionRequest): string {
  const each = Math.max(n ?? 1, best ?? 1);
  if (Array.isArray(prompt) && typeof prompt[0] !== "number" && prompt.length >= each) return "prompt";
  return (best ?? 1) > (n ?? 1) ? "best_of" : "n";
}

/** Prompts as they were given: text, ids, or a list of either. */
function promptsOf(body: CompletionRequest, generator: Generator): (string | number[])[] {
  const { tokenizer } = generator;
  const prompt = body.prompt ?? "";
  if (body.suffix !== null && body.suffix !== undefined) {
    if (typeof prompt !== "string") throw invalid("prompt", "'prompt' must be one text where there is a 'suffix'");
    if (!tokenizer.infill)
      throw unsupported("suffix", "needs a model that was trained to fill in, and this one has no tokens for it");
    refuseHopeless(generator, prompt + body.suffix, generator.scheduler.room - 1);
    return [Array.from(tokenizer.encodeInfill({ prefix: prompt, suffix: body.suffix }))];
  }
  const prompts = typeof prompt === "string" || typeof prompt[0] === "number" ? [prompt] : prompt;
  return (prompts as (string | number[])[]).map((each) => {
    if (typeof each !== "string") checkIds(generator, "prompt", each);
    return each === "" ? beginning(tokenizer) : each;
  });
}

/** A text's beginning is a prompt too, in the token that the model knows it by. */
function beginning(tokenizer: Generator["tokenizer"]): number[] {
  const [first = tokenizer.bosTokenId ?? tokenizer.eosTokenId] = tokenizer.encode("");
  if (first === undefined) throw invalid("prompt", "'prompt' is empty, and this model has no token for a beginning");
  return [first];
}

export function asksOf(body: CompletionRequest, generator: Generator): Ask[] {
  const { n = 1, best_of: best = n, logprobs, echo } = withoutNulls(body);
  const most = lengthOf(body);
  if (best < n) throw invalid("best_of", `'best_of' is ${best}, and the best ${n} of them were asked for`);
  if (body.stream && best > n)
    throw unsupported("best_of", "can't be streamed: which are the best is known when all are done");
  if (body.stream && echo && logprobs !== undefined)
    throw unsupported("echo", "together with 'logprobs' can't be streamed");
  if (body.stream && most === 0) throw unsupported("max_tokens", "must be at least 1 where the answer is streamed");
  refuseUnclear(body);
  checkIds(generator, "stop_token_ids", body.stop_token_ids ?? []);
  const scored = most === 0 || (echo && logprobs !== undefined) ? { promptLogprobs: logprobs ?? 0 } : {};
  const sampling: GenerateOptions = samplingOf(body);
  const filledIn = typeof body.suffix === "string" ? generator.tokenizer.infillEnds : [];
  const options = {
    ...sampling,
    inText: true,
    stopTokens: [...(sampling.stopTokens ?? []), ...filledIn],
    maxNewTokens: most ?? Math.max(DEFAULT_TOKENS, body.min_tokens ?? 0),
    // The best are the likeliest.
    ...(logprobs !== undefined || best > n ? { logprobs: logprobs ?? 0 } : {}),
  };
  const prompts = promptsOf(body, generator);
  const states = apart(stateOf(body.seed), prompts.length);
  return prompts.flatMap((prompt, at) =>
    // Answers to one prompt share its score: it is read for one of them.
    times({ prompt, options }, best, states[at]).map((ask, i) =>
      i === 0 || most === 0 ? { ...ask, options: { ...ask.options, ...scored } } : ask,
    ),
  );
}

/** Refuses what can't be told of a prompt that isn't read as it was sent. */
function refuseUnclear({ suffix, echo, logprobs, truncate_prompt, input_len }: CompletionRequest): void {
  const isFilledIn = typeof suffix === "string";
  const isScored = Boolean(echo) && typeof logprobs === "number";
  const cut = truncate_prompt ? "truncate_prompt" : input_len ? "input_len" : undefined;
  if (cut && isFilledIn) throw unsupported(cut, "together with 'suffix' would cut off the marks of what is filled in");
  if (cut && isScored) throw unsupported(cut, "together with 'echo' and 'logprobs' would leave text without any");
  if (isFilledIn && isScored) throw unsupported("echo", "together with 'suffix' and 'logprobs' isn't offered");
}

/** What a request leaves out, by null or by silence, is left out. */
function withoutNulls<T extends object>(body: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null)) as never;
}

/** What `echo` puts before an answer: the prompt as it was sent, with no marks of the model's. */
export function echoed({ prompt, suffix, echo }: CompletionRequest, { tokenizer }: Generator, ask: Ask): string {
  if (!echo) return "";
  if (typeof suffix === "string") return (prompt as string | null | undefined) ?? "";
  if (typeof ask.prompt === "string") return ask.prompt;
  return isText(prompt) ? "" : tokenizer.decode(ask.prompt);
}

/** Whether a request's prompts are texts: those that are empty are asked for by ids. */
function isText(prompt: CompletionRequest["prompt"]): boolean {
  const [first] = Array.isArray(prompt) ? prompt : [prompt ?? ""];
  return typeof first === "string";
}
