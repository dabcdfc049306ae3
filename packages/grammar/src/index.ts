export { Constraint, Matcher } from "./constraint.ts";
export { GrammarError, type GrammarErrorCode } from "./error.ts";
export { parseGbnf } from "./gbnf/parse.ts";
export { anyObject, compileSchema } from "./json-schema/compile.ts";
export type { Schema } from "./json-schema/schema.ts";
export { parseRegex } from "./regex/parse.ts";
export type { Grammar, Rule } from "./rules/rule.ts";
export { type GrammarSource, parseGrammar } from "./source.ts";
export { Vocabulary } from "./vocabulary/vocabulary.ts";
