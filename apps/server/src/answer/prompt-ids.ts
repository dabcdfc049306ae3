import type { Generator } from "@llm/toolchain";
import type { Ask } from "../engine/answers.ts";
import { checkLength } from "./too-long.ts";

/** A prompt's tokens as they go to the model. */
export function promptIds(generator: Generator, ask: Ask): readonly number[] {
  checkLength(generator, ask);
  return Array.from(generator.promptIds(ask.prompt, ask.options));
}
