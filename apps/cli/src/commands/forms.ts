import { readFileSync } from "node:fs";
import { checkForm, type GenerateOptions } from "@llm/generate";
import { UsageError } from "../exit.ts";

/** Schemas and grammars that are named by their files, read; a form that can't be had is refused. */
export function withForms(options: GenerateOptions): GenerateOptions {
  const { jsonSchema, grammar, ...rest } = options;
  const read = {
    ...rest,
    ...(jsonSchema === undefined ? {} : { jsonSchema: schemaOf(String(jsonSchema)) }),
    ...(grammar === undefined ? {} : { grammar: grammar.includes("::=") ? grammar : textOf(grammar, "--grammar") }),
  };
  checkForm(read);
  return read;
}

/** The text of a schema. Any JSON is taken for the text itself, so that what is wrong with it can be said. */
function schemaOf(given: string): string {
  if (whyNotJson(given) === undefined) return given;
  const inline = /^\s*[{["]/.test(given);
  const text = inline ? given : textOf(given, "--json-schema");
  const why = whyNotJson(text);
  if (why !== undefined) throw new UsageError(`${inline ? "--json-schema" : given} is not JSON: ${why}`);
  return text;
}

function whyNotJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
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
