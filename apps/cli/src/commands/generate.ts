import { type Completion, generateText, type Runnable, type Timings } from "@llm/toolchain";
import type { Call } from "../definition/command.ts";
import type { Io } from "../output/io.ts";
import { rate, seconds } from "../output/units.ts";

/** Generates for all prompts of a call, streaming to stdout where that is wanted. */
export async function generateFor(runnable: Runnable, prompts: readonly string[], call: Call, io: Io) {
  const { options } = call;
  const streams = (options.stream ?? true) && prompts.length === 1;
  if (streams) io.write(prompts[0]!);
  const result = await generateText(runnable, prompts, {
    ...options,
    signal: io.signal,
    ...(streams ? { onText: (text: string) => io.write(text) } : {}),
  });
  if (streams) io.write("\n");
  else io.write(result.completions.map(({ prompt, text }) => `${prompt}${text}\n`).join("\n"));
  return result;
}

/** The figures people look at, in one line. */
export function timingsLine(timings: Timings, completions: readonly Completion[]): string {
  const tokens = completions.reduce((sum, completion) => sum + completion.tokens.length, 0);
  const { ttftMs, prefillTokensPerSecond, decodeTokensPerSecond, totalTokensPerSecond } = timings;
  return [
    `${tokens} tokens`,
    `first after ${seconds(ttftMs / 1000)}`,
    `prefill ${rate(prefillTokensPerSecond)} tok/s`,
    `decode ${rate(decodeTokensPerSecond)} tok/s`,
    `total ${rate(totalTokensPerSecond)} tok/s`,
  ].join(" · ");
}
