import { charactersOf } from "../rules/code-points.ts";
import { alt, chars, EMPTY, type Rule, repeat, seq, text } from "../rules/rule.ts";

/**
 * Blanks between the parts of a value: none, one, or a line end with an indentation. All JSON that people and models write
 * has these; more would let a model that has lost its way write blanks until its room is used up.
 */
export const space: Rule = alt(EMPTY, text(" "), seq(text("\n"), repeat(chars(charactersOf(" \t")), 0, 40)));
