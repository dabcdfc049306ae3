import { GrammarError, type GrammarSource, isAnnotation } from "@llm/grammar";
import type { ArgumentTags, CallFormat, ReasoningFormat, Tool } from "./formats.ts";

/** What an answer must look like that is nothing but calls of these tools, written as the model's family writes them. */
export function callGrammar(
  format: CallFormat,
  tools: readonly Tool[],
  { parallel = true }: { readonly parallel?: boolean } = {},
): GrammarSource {
  const several = (one: GrammarSource, between: string): GrammarSource => (parallel ? { repeat: one, between } : one);
  const one: GrammarSource = { anyOf: tools.map((tool) => call(format, tool)) };
  const [open, close] = [{ marker: format.open }, { marker: format.close }];
  switch (format.id) {
    case "hermes":
    case "qwen3-coder":
      return several({ parts: [open, "\n", one, "\n", close] }, "\n");
    case "glm4":
      return several({ parts: [open, one, close] }, "\n");
    case "mistral":
      return { parts: [open, { choice: ["[", " ["] }, several(one, ", "), "]"] };
    case "mistral-args":
      return several({ parts: [open, one] }, "");
    case "llama3":
      return several(one, "; ");
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
  const prose: GrammarSource = format.open === "" ? { regex: PLAIN } : { without: format.open };
  return { anyOf: [prose, format.open === "" ? calls : { parts: [prose, calls] }] };
}

/** A form that begins where the thoughts before it end; whoever may think need not, unless the prompt has begun it. */
export function afterThoughts({ open, close, begun }: ReasoningFormat, form: GrammarSource): GrammarSource {
  const thoughts: GrammarSource = { parts: [{ without: close }, { marker: close }, { regex: "[ \\n]{0,3}" }] };
  if (begun) return { parts: [thoughts, form] };
  return { parts: [{ anyOf: [{ choice: [""] }, { parts: [{ marker: open }, thoughts] }] }, form] };
}

/** A text whose beginning no parser takes for a call's: no bracket, and of fenced code none that may be JSON. */
const PLAIN =
  "\\s*(?:[^\\s{}\\[\\],;`<][\\s\\S]*|`{1,2}[^`][\\s\\S]*|```(?:[^\\s{}\\[\\],;`j]|j[^s]|js[^o]|jso[^n]|json[a-z0-9])[\\s\\S]*|<(?:[^|][\\s\\S]*)?)?";

function call({ id, argumentsKey, tags, named }: CallFormat, tool: Tool): GrammarSource {
  if (tags) return taggedCall(tags, tool);
  const values: GrammarSource = { jsonSchema: objectSchema(tool) };
  if (named && id === "mistral-args") return { parts: [tool.name, { marker: named.args }, values] };
  return { parts: [`{"name": ${JSON.stringify(tool.name)}, "${argumentsKey}": `, values, "}"] };
}

/** The schema of a function's arguments, which are an object whether or not it says so; a keyword that is null says nothing. */
function objectSchema({ name, parameters }: Tool): Readonly<Record<string, unknown>> {
  const given = parameters ?? {};
  const said = isObject(given) ? Object.entries(given).filter(([, value]) => value !== null) : [["type", "none"]];
  const { type = "object", nullable: _, ...rest } = Object.fromEntries(said);
  if (type === "object" || (Array.isArray(type) && type.includes("object"))) return { ...rest, type: "object" };
  throw new GrammarError("syntax", `the parameters of "${name}" must be the schema of an object`);
}

/** Keywords of an object's schema that arguments one by one can be held to; the others say nothing about them. */
const OF_ARGUMENTS: ReadonlySet<string> = new Set(["type", "properties", "required", "additionalProperties"]);

function taggedCall({ name: [before, after], key, value, pad, end }: ArgumentTags, tool: Tool): GrammarSource {
  const schema = objectSchema(tool);
  const other = Object.keys(schema).find((keyword) => !OF_ARGUMENTS.has(keyword) && !isAnnotation(keyword));
  if (other !== undefined) {
    throw new GrammarError(
      "unsupported",
      `"${other}" beside the parameters of "${tool.name}" can't be held to in the way this model writes calls`,
    );
  }
  const { properties = {}, required = [] } = schema as {
    readonly properties?: Readonly<Record<string, unknown>>;
    readonly required?: readonly string[];
  };
  const given = Object.keys(properties).filter((property) => properties[property] !== false);
  const names = [...new Set([...given, ...required])];
  const odd = names.find((property) => /[<>\s]/.test(property));
  if (odd !== undefined)
    throw new GrammarError(
      "unsupported",
      `the parameter ${JSON.stringify(odd)} of "${tool.name}" has no name that can stand in a tag`,
    );
  const argument = (property: string | GrammarSource, held: GrammarSource): GrammarSource => ({
    parts: [...marked(key, property), pad === "" ? "\n" : "", ...marked(value, pad, held, pad), "\n"],
  });
  const values = names.map((property): GrammarSource => {
    const one = argument(property, { property, of: schema, before: value[1] });
    return required.includes(property) ? one : { optional: one }; // what may never be given is left out
  });
  // A function of which nothing is said takes anything, as an object does of which nothing is said.
  const { additionalProperties: others = true } = schema;
  if (names.length === 0 && others !== false) {
    const said = isObject(others) && Object.keys(others).some((keyword) => !isAnnotation(keyword));
    const held: GrammarSource = said
      ? { property: "", of: { ...schema, properties: {} }, before: value[1] }
      : { without: value[1] };
    values.push({ optional: { repeat: argument({ regex: "[^<>\\s]{1,64}" }, held), between: "" } });
  }
  // Where nothing stands before the name, the call ends with what closes all of them.
  return { parts: before === "" ? [tool.name, after, ...values] : [before, tool.name, after, "\n", ...values, end] };
}

/** What stands between two tags, either of which may be a control token. */
function marked([before, after]: readonly [string, string], ...of: readonly (string | GrammarSource)[]) {
  const tags = [before, after].map((tag) => (tag === "" ? "" : { marker: tag }));
  return [tags[0]!, ...of, tags[1]!];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
