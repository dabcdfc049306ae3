import { readFileSync } from "node:fs";
import type { OptionValues } from "../definition/options.ts";
import { UsageError } from "../exit.ts";

type PromptOptions = Partial<Pick<OptionValues, "prompt" | "promptsTxtFilePath" | "batchSize">>;

/**
 * The prompts of a call: as many as the batch has places. Too few are repeated, too many cut off, as in the programs this one
 * replaces; `note` hears of the latter. Undefined when nothing was said.
 */
export function promptsOf(options: PromptOptions, note: (line: string) => void): readonly string[] | undefined {
  const said = saidPrompts(options);
  if (!said) return undefined;
  // Whoever repeats --prompt wants all of them.
  const { batchSize = options.prompt?.length ?? 1 } = options;
  if (said.length > batchSize)
    note(
      `${said.length} prompts and a batch of ${batchSize}: the first ${batchSize} are used; --batch-size takes more`,
    );
  return Array.from({ length: batchSize }, (_, i) => said[i % said.length]!);
}

function saidPrompts({
  prompt: prompts,
  promptsTxtFilePath: file,
  batchSize = 1,
}: PromptOptions): readonly string[] | undefined {
  if (prompts !== undefined && file !== undefined)
    throw new UsageError("--prompt and --prompts-txt-file-path say the same thing; leave one of them out");
  if (file !== undefined) return promptsOfFile(file);
  return batchSize > 1 ? prompts?.flatMap((prompt) => prompt.split("|")) : prompts;
}

/** The prompt of a command that reads one. */
export function onePrompt(prompts: readonly string[] | undefined): string | undefined {
  if (prompts !== undefined && prompts.length > 1)
    throw new UsageError("--prompt was given more than once, and this command reads one");
  return prompts?.[0];
}

function promptsOfFile(file: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${file}: can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const prompts = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  if (prompts.length === 0) throw new UsageError(`${file}: holds no prompt; it takes one a line`);
  return prompts;
}
