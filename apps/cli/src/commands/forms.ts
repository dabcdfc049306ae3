import { readFileSync } from "node:fs";
import type { GenerateOptions } from "@llm/generate";
import { UsageError } from "../exit.ts";

/** Schemas and grammars that are named by their files, read. */
export function withForms(options: GenerateOptions): GenerateOptions {
  const { jsonSchema, grammar, ...rest } = options;
  return {
    ...rest,
    ...(jsonSchema === undefined ? {} : { jsonSchema: schemaOf(String(jsonSchema)) }),
    ...(grammar === undefined ? {} : { grammar: grammar.includes("::=") ? grammar : textOf(grammar, "--grammar") }),
  };
}

function schemaOf(given: string): unknown {
  const inline = /^\s*(?:\{|true\s*$|false\s*$)/.test(given);
  try {
    return JSON.parse(inline ? given : textOf(given, "--json-schema"));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${inline ? "--json-schema" : given}: is not JSON: ${(error as Error).message}`);
  }
}

function textOf(file: string, flag: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(
      `${flag}: ${file} can't be read (${(error as NodeJS.ErrnoException).code}); give a file, or the text itself`,
    );
  }
}
