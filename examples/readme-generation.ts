/**
 * Writes the beginning of a README for a source file.
 *
 *     pnpm exec node examples/readme-generation.ts path/to/file.py [MODEL]
 */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Generator } from "@llm/toolchain";

/** The prompt of a code model that has seen repositories: the file, then a README that has just begun. */
export function readmePrompt(name: string, source: string): string {
  return `# ${name}\n\n${source.trim()}\n\n\n# README.md\n\n"""\n${basename(name, ".py")}\n${"=".repeat(basename(name, ".py").length)}\n\n`;
}

/** Pieces of a README as they come. A file that is too long loses its middle: imports and the last definitions say most. */
export async function* writeReadme(
  generator: Generator,
  name: string,
  source: string,
  maxNewTokens = 160,
): AsyncGenerator<string> {
  yield* generator.stream(readmePrompt(name, source), {
    maxNewTokens,
    truncatePrompt: "middle",
    stop: '"""',
    temperature: 0.4,
    topP: 0.95,
    repetitionPenalty: 1.15,
    seed: 1,
  });
}

if (import.meta.main) {
  const [file = import.meta.filename, model = "demo"] = process.argv.slice(2);
  const source = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    console.error(`${file} can't be read (${error.code}); give the path of a source file`);
    process.exit(2);
  });
  const generator = await Generator.fromPretrained(model);
  try {
    for await (const piece of writeReadme(generator, basename(file), source)) process.stdout.write(piece);
    process.stdout.write("\n");
  } finally {
    await generator.close();
  }
}
