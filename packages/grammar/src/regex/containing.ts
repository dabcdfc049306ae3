import { ANY } from "../rules/code-points.ts";
import { chars, many, type Rule, seq } from "../rules/rule.ts";
import type { Pattern } from "./parse.ts";

/** A text in which a pattern is somewhere, or at the ends that it is tied to. */
export function containing({ rule, anchoredStart, anchoredEnd }: Pattern): Rule {
  const anything = many(chars(ANY));
  return seq(...(anchoredStart ? [] : [anything]), rule, ...(anchoredEnd ? [] : [anything]));
}
