import type { GenerateOptions } from "@llm/generate";
import { type Answer, type BatchTimings, type Generator, generateText } from "@llm/toolchain";
import type { Call } from "../definition/command.ts";
import { SAMPLING, SEARCH, SEVERAL } from "../definition/groups.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { rate, seconds } from "../output/units.ts";
import { withForms } from "./forms.ts";
import { checkTogether } from "./generation-conflicts.ts";
import { logitBiasOf } from "./logit-bias.ts";

/** What a call generates, read from it before a model is fetched, so that what is wrong with it is said first. */
export interface Work {
  readonly prompts: readonly string[];
  readonly generation: GenerateOptions;
}

/** Generates for all prompts of a call, streaming to stdout where that is wanted. */
export async function generateFor(generator: Generator, { prompts, generation }: Work, call: Call, io: Io) {
  const { options } = call;
  // Some tokenizers begin every text with a token of their own; only where none does is an empty prompt nothing to go on from.
  const { tokenizer } = generator;
  const { suffix } = generation;
  if (suffix === undefined && prompts.some((prompt) => tokenizer.encode(prompt).length === 0))
    throw new UsageError("--prompt is empty, and this model needs at least one token: give it some text to continue");
  const streams = (options.stream ?? true) && prompts.length === 1 && (options.n ?? 1) === 1;
  // With the first of the answer: what is refused before it is no half-printed text.
  let begun = false;
  const begin = (): void => {
    if (streams && !begun) io.write(prompts[0]!);
    begun = true;
  };
  const onText = (text: string): void => {
    begin();
    io.write(text);
  };
  const result = await generateText(generator, prompts, {
    ...generation,
    signal: io.signal,
    ...(streams ? { onText } : {}),
  }).finally(() => streams && begun && io.write(`${suffix ?? ""}\n`));
  if (streams && !begun) io.write(`${prompts[0]!}${suffix ?? ""}\n`); // an answer of nothing
  if (!streams) io.write(result.completions.map(({ prompt, text }) => `${prompt}${text}${suffix ?? ""}\n`).join("\n"));
  return result;
}

/** The options of a call that say how to generate; `note` hears of those that change nothing. */
export function generationOptions(options: Call["options"], note: (line: string) => void): GenerateOptions {
  checkTogether(options, note);
  const named = GENERATION_KEYS.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]]));
  return withForms({
    ...(Object.fromEntries(named) as GenerateOptions),
    ...(options.draftModel === undefined ? {} : { speculate: true }),
    ...(options.logitBias === undefined ? {} : { logitBias: logitBiasOf(options.logitBias) }),
  });
}

/** How many texts after one prompt are worked on side by side. */
export function answersAtOnce({ n = 1, numBeams = 1 }: Call["options"]): number {
  return Math.max(n, numBeams);
}

/** Options of the command line that the library calls the same. */
const GENERATION_KEYS: readonly (keyof Call["options"] & keyof GenerateOptions)[] = [
  "suffix",
  ...SAMPLING,
  ...SEARCH,
  ...SEVERAL,
];

/** The figures people look at, in one line. */
export function timingsLine(timings: BatchTimings, completions: readonly Answer[]): string {
  const tokens = completions.reduce((sum, completion) => sum + completion.tokens.length, 0);
  const { ttftMs, prefillTokensPerSecond, decodeTokensPerSecond, totalTokensPerSecond } = timings;
  // A beam search tells its texts at its end: when the prompt was read, and what came after, nobody saw.
  const isSearch = completions.some(({ score }) => score !== undefined);
  return [
    `${tokens} tokens`,
    ...(isSearch ? [] : [`first after ${seconds(ttftMs / 1000)}`, `prefill ${rate(prefillTokensPerSecond)} tok/s`]),
    ...(decodeTokensPerSecond > 0 ? [`decode ${rate(decodeTokensPerSecond)} tok/s`] : []),
    `total ${rate(totalTokensPerSecond)} tok/s`,
  ].join(" · ");
}
