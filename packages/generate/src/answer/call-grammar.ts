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

/**
 * The same for an answer that may as well say something: text, calls, or text and then calls, none of which can be anything
 * but a call of these tools. `text` is what may be said; whatever is no call, unless given.
 */
export function answerGrammar(
  format: CallFormat,
  tools: readonly Tool[],
  { parallel = true, text }: { readonly parallel?: boolean; readonly text?: GrammarSource } = {},
): GrammarSource {
  const calls = callGrammar(format, tools, { parallel });
  if (text) return { anyOf: [text, calls] };
  const prose: GrammarSource = { regex: format.open === "" ? PLAIN : without(format.open) };
  return { anyOf: [prose, format.open === "" ? calls : { parts: [prose, calls] }] };
}

/** A text whose beginning no parser takes for a call's: no bracket, and of fenced code none that may be JSON. */
const PLAIN =
  "\\s*(?:[^\\s{}\\[\\],;`<][\\s\\S]*|`{1,2}[^`][\\s\\S]*|```(?:[^\\s{}\\[\\],;`j]|j[^s]|js[^o]|jso[^n]|json[a-z0-9])[\\s\\S]*|<(?:[^|][\\s\\S]*)?)?";

/** An expression for all texts without a marker, whose first character is in it once. */
function without(marker: string): string {
  const chars = Array.from(marker, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
  const begun = chars.slice(1).map((_, i) => chars.slice(0, i + 1).join(""));
  const attempts = `(?:${begun.join("|")})*`; // each given up for the next, or for the end
  const failed = begun.map((text, i) => `${text}[^${chars[0]}${chars[i + 1]}]`).join("|");
  return `(?:[^${chars[0]}]|${attempts}(?:${failed}))*${attempts}`;
}

function call({ argumentsKey }: CallFormat, { name, parameters }: Tool): GrammarSource {
  const values: GrammarSource = parameters === undefined ? { json: true } : { jsonSchema: parameters };
  return { parts: [`{"name": ${JSON.stringify(name)}, "${argumentsKey}": `, values, "}"] };
}
