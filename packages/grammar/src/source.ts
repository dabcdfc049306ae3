import { GrammarError } from "./error.ts";
import { parseGbnf } from "./gbnf/parse.ts";
import { compileSchema } from "./json-schema/compile.ts";
import { anyObject } from "./json-schema/literals.ts";
import { compileProperty } from "./json-schema/property.ts";
import { isSchema, type Json, readSchema } from "./json-schema/schema.ts";
import { parseRegex } from "./regex/parse.ts";
import { whole } from "./regex/texts.ts";
import { combine } from "./rules/combine.ts";
import { alt, anyOf, EMPTY, type Grammar, grammarOf, many, marker, seq, text } from "./rules/rule.ts";
import { without } from "./rules/without.ts";

/** What an answer must match, in one of the usual notations. */
export type GrammarSource =
  /** A JSON value that is valid by the schema: an object of it, or its text, of which whole numbers are taken to the digit. */
  | { readonly jsonSchema: unknown }
  /** Any JSON object. */
  | { readonly json: true }
  /** The whole answer matches the ECMAScript expression. */
  | { readonly regex: string }
  /** One of these texts. */
  | { readonly choice: readonly string[] }
  /** llama.cpp's grammar notation; the answer matches `root`. */
  | { readonly grammar: string }
  /** The tokenizer's control token of this name, which no text can spell; the text, where it has no such token. */
  | { readonly marker: string }
  /** Any text that doesn't contain this one. */
  | { readonly without: string }
  /**
   * A property of a schema of objects, as it stands before a tag that closes it: a string as it is, anything else as JSON. The
   * tag isn't in it.
   */
  | { readonly property: string; readonly of: unknown; readonly before: string }
  /** One after the other; a string stands for itself. */
  | { readonly parts: readonly (string | GrammarSource)[] }
  /** Any one of these. */
  | { readonly anyOf: readonly GrammarSource[] }
  /** Nothing, or this; nothing where no text is valid by it. */
  | { readonly optional: GrammarSource }
  /** Again and again, at least once, with a text in between. */
  | { readonly repeat: GrammarSource; readonly between: string };

/** Translates any notation. @throws GrammarError that says what can't be read, or names what isn't supported */
export function parseGrammar(source: GrammarSource): Grammar {
  if ("jsonSchema" in source) {
    const given = source.jsonSchema;
    const schema = (typeof given === "string" ? readSchema(given) : given) as Json;
    if (!isSchema(schema)) throw new GrammarError("syntax", "a JSON schema is an object or a boolean");
    return compileSchema(schema);
  }
  if ("json" in source) return anyObject();
  if ("regex" in source) return grammarOf(whole(parseRegex(source.regex)));
  if ("choice" in source) {
    if (source.choice.length === 0) throw new GrammarError("syntax", "a choice needs at least one text");
    return grammarOf(anyOf(source.choice.map(text)));
  }
  if ("marker" in source) return grammarOf(marker(source.marker));
  if ("without" in source) return without(source.without);
  if ("property" in source) return compileProperty(source.of, source.property, source.before);
  if ("parts" in source) {
    return combine(
      source.parts.map((part) => (typeof part === "string" ? grammarOf(text(part)) : parseGrammar(part))),
      seq,
    );
  }
  if ("optional" in source) return optionally(source.optional);
  if ("anyOf" in source) return combine(source.anyOf.map(parseGrammar), alt);
  if ("repeat" in source) {
    return combine([parseGrammar(source.repeat)], (one) => seq(one, many(seq(text(source.between), one))));
  }
  return parseGbnf(source.grammar);
}

/** Nothing at all, or the form; what has no valid text can only be left out. */
function optionally(form: GrammarSource): Grammar {
  try {
    return combine([parseGrammar(form)], (one) => alt(EMPTY, one));
  } catch (error) {
    if (GrammarError.isInstance(error) && error.code === "unsatisfiable") return grammarOf(EMPTY);
    throw error;
  }
}
