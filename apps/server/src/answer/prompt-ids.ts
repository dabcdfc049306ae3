import type { Generator } from "@llm/toolchain";
import type { Ask } from "../engine/answers.ts";

/** A prompt's tokens as they go to the model. */
export function promptIds(generator: Generator, { prompt, options }: Ask): readonly number[] {
  return Array.from(generator.promptIds(prompt, options));
}
