import type { FinishReason, Completion as Generated, GeneratedToken, GenerateOptions, Generation } from "@llm/generate";
import { apart, randomState } from "@llm/generate";
import type { Generator } from "./generator.ts";

export interface GenerateTextOptions extends GenerateOptions {
  /** Told of the text as it comes, with the number of its prompt. */
  onText?(text: string, prompt: number): void;
}

/** One prompt's answer. */
export interface Answer {
  readonly prompt: string;
  readonly text: string;
  readonly tokens: readonly number[];
  readonly finishReason: FinishReason;
  readonly logprobs?: readonly GeneratedToken[];
  /** Of a beam search: how good it finds the answer. */
  readonly score?: number;
}

/** The figures that people compare, over all prompts of a batch. */
export interface BatchTimings {
  /** Until the first token of any prompt. */
  readonly ttftMs: number;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
  readonly totalTokensPerSecond: number;
}

export interface GeneratedText {
  readonly completions: readonly Answer[];
  readonly timings: BatchTimings;
}

/** Continues all prompts at once, and says how fast that was. */
export async function generateText(
  generator: Generator,
  prompts: readonly string[],
  options: GenerateTextOptions = {},
): Promise<GeneratedText> {
  const { onText, ...common } = options;
  const states = apart(common.random ?? randomState(common.seed), prompts.length);
  const own = (at: number): GenerateOptions => ({ ...common, random: states[at]! });
  const generated =
    (common.n ?? 1) > 1
      ? await Promise.all(prompts.map((prompt, at) => generator.several(prompt, own(at))))
      : await Promise.all(
          prompts.map(async (prompt, at) => [
            await follow(generator.stream(prompt, own(at)), (text) => onText?.(text, at)),
          ]),
        );
  const completions = generated.flatMap((answers, at) => answers.map((answer) => answerOf(prompts[at]!, answer)));
  return { completions, timings: timingsOf(generated.flat()) };
}

function answerOf(prompt: string, { text, tokens, finishReason, logprobs, score }: Generated): Answer {
  return {
    prompt,
    text,
    tokens,
    finishReason,
    ...(logprobs ? { logprobs } : {}),
    ...(score === undefined ? {} : { score }),
  };
}

async function follow(run: Generation, onText: (text: string) => void): Promise<Generated> {
  for await (const text of run) if (text !== "") onText(text);
  return run.result;
}

function timingsOf(generated: readonly Generated[]): BatchTimings {
  const sum = (of: (one: Generated) => number) => generated.reduce((total, one) => total + of(one), 0);
  const rate = (tokens: number, ms: number) => (ms > 0 ? tokens / (ms / 1000) : 0);
  const firsts = generated.map(({ timings }) => timings.firstTokenMs);
  const prefilled = Math.max(...firsts); // the first token of each comes with its prompt
  const total = Math.max(...generated.map(({ timings }) => timings.totalMs));
  const tokens = sum((one) => one.tokens.length);
  return {
    ttftMs: Math.min(...firsts),
    prefillTokensPerSecond: rate(
      sum(({ usage }) => usage.promptTokens),
      prefilled,
    ),
    decodeTokensPerSecond: rate(tokens - generated.length, total - prefilled),
    totalTokensPerSecond: rate(tokens, total),
  };
}
