import { GrammarError } from "../error.ts";
import { alt, type Grammar, many, optional, type Rule, ref, seq, text } from "../rules/rule.ts";
import { number } from "./numbers.ts";
import { isObject, isRounded, type Json } from "./schema.ts";
import { space } from "./space.ts";
import { stringOf } from "./text.ts";

/** The rule of a value about which nothing is said. */
export const ANY_VALUE: Rule = ref("any");

/** One value, in the spacing that every other value may have. */
export function literal(value: Json): Rule {
  if (Array.isArray(value)) {
    const items = value.flatMap((item, i) => (i === 0 ? [literal(item)] : [text(","), space, literal(item)]));
    return seq(text("["), space, ...items, ...(value.length > 0 ? [space] : []), text("]"));
  }
  if (typeof value === "bigint") return text(String(value));
  if (isRounded(value)) {
    throw new GrammarError(
      "unsupported",
      `the value ${value} of the schema may stand for another number, which was rounded when the schema was read; give the schema as a text, or the number as one`,
    );
  }
  if (!isObject(value)) return text(JSON.stringify(value));
  const entries = Object.entries(value);
  const members = entries.flatMap(([key, item], i) => [
    ...(i === 0 ? [] : [text(","), space]),
    text(`${JSON.stringify(key)}:`),
    space,
    literal(item),
  ]);
  return seq(text("{"), space, ...members, ...(entries.length > 0 ? [space] : []), text("}"));
}

/** The rules of a value about which nothing is said. */
export function anyRules(): [string, Rule][] {
  const string = stringOf(0, Number.POSITIVE_INFINITY);
  const list = (item: Rule): Rule => optional(seq(item, many(seq(text(","), space, item)), space));
  const member = seq(string, text(":"), space, ANY_VALUE);
  return [
    ["any", alt(ref("any object"), ref("any array"), string, number, text("true"), text("false"), text("null"))],
    ["any object", seq(text("{"), space, list(member), text("}"))],
    ["any array", seq(text("["), space, list(ANY_VALUE), text("]"))],
  ];
}

/** Any JSON object: what asking for "JSON" alone means. */
export function anyObject(): Grammar {
  return { root: "any object", rules: new Map(anyRules()) };
}
