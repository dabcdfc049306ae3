import type { GrammarSource } from "@llm/grammar";
import type { CallFormat } from "./formats.ts";

/** A function that the model may call: its name, and the JSON schema of its arguments. */
export interface Tool {
  readonly name: string;
  readonly parameters?: unknown;
}

/** What an answer must look like that is nothing but calls of these tools, written as the model's family writes them. */
export function callGrammar(
  format: CallFormat,
  tools: readonly Tool[],
  { parallel = true }: { readonly parallel?: boolean } = {},
): GrammarSource {
  const one: GrammarSource = { anyOf: tools.map((tool) => call(format, tool)) };
  switch (format.id) {
    case "hermes": {
      const wrapped: GrammarSource = { parts: ["<tool_call>\n", one, "\n</tool_call>"] };
      return parallel ? { repeat: wrapped, between: "\n" } : wrapped;
    }
    case "mistral":
      return { parts: ["[TOOL_CALLS] [", parallel ? { repeat: one, between: ", " } : one, "]"] };
    case "llama3":
      return parallel ? { repeat: one, between: "; " } : one;
    case "json":
      return parallel ? { anyOf: [one, { parts: ["[", { repeat: one, between: ", " }, "]"] }] } : one;
  }
}

function call({ argumentsKey }: CallFormat, { name, parameters }: Tool): GrammarSource {
  const values: GrammarSource = parameters === undefined ? { json: true } : { jsonSchema: parameters };
  return { parts: [`{"name": ${JSON.stringify(name)}, "${argumentsKey}": `, values, "}"] };
}
