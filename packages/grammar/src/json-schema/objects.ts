import { GrammarError } from "../error.ts";
import { parseRegex } from "../regex/parse.ts";
import { containing } from "../regex/texts.ts";
import { alt, EMPTY, NEVER, optional, type Rule, repeat, seq, text } from "../rules/rule.ts";
import { countOf } from "./bounds.ts";
import type { SchemaContext } from "./compile.ts";
import { type Keys, keysOf } from "./property-names.ts";
import { simplified } from "./published-patterns.ts";
import { isObject, type Json, type SchemaObject } from "./schema.ts";
import { space } from "./space.ts";
import { quoted, stringExcept } from "./text.ts";
import { refuseNot } from "./values.ts";

interface Member {
  readonly rule: Rule;
  readonly required: boolean;
}

const comma = seq(text(","), space);

/** An object: its properties in the schema's order, then others where they are allowed. */
export function objectRule(schema: SchemaObject, path: string, context: SchemaContext): Rule {
  const { properties = {}, required = [], additionalProperties } = schema;
  if (!isObject(properties))
    throw new GrammarError("syntax", `"properties" at ${path} of the schema must be an object`);
  if (!Array.isArray(required) || required.some((name) => typeof name !== "string")) {
    throw new GrammarError("syntax", `"required" at ${path} of the schema must be a list of names`);
  }
  refuseNot(schema, "object", path, context);
  const keys = keysOf(schema, path, context);
  const names = [...new Set([...Object.keys(properties), ...(required as string[]), ...(keys.only ?? [])])];
  const members = names.flatMap((name): Member[] => {
    const patterned = keys.patterns.filter(({ matches }) => matches(name)).map(({ value }) => value);
    const other: readonly Json[] = patterned.length > 0 ? [] : [additionalProperties ?? true];
    const own = Object.hasOwn(properties, name) ? [properties[name]!] : other;
    const values = [...own, ...patterned];
    const value = !keys.fits(name) ? false : values.length === 1 ? values[0]! : { allOf: values };
    const rule = context.rule(value, `${path}/properties/${name}`);
    const needed = required.includes(name);
    // What can't be given is left out, or makes the whole impossible.
    if (rule === NEVER && !needed) return [];
    return [{ rule: context.define(seq(text(`${JSON.stringify(name)}:`), space, rule)), required: needed }];
  });
  const extra = extraRule(schema, keys, names, path, context);
  const [least, most] = countsOf(schema, path, members, extra, context);
  if (least > most) return NEVER;
  return seq(
    text("{"),
    space,
    membersRule(members, extra, { least, most }, (rule) => context.define(rule)),
    text("}"),
  );
}

/** A member of none of these names. */
function extraRule(
  { properties = {}, additionalProperties }: SchemaObject,
  keys: Keys,
  names: readonly string[],
  path: string,
  context: SchemaContext,
): Rule {
  const member = (key: Rule, value: Rule): Rule =>
    value === NEVER || key === NEVER ? NEVER : context.define(seq(key, text(":"), space, value));
  if (keys.patterns.length > 0) {
    return alt(
      ...keys.patterns.map(({ pattern, value, matches }, i) => {
        const rule = context.rule(value, `${path}/patternProperties/${i}`);
        if (rule === NEVER) return NEVER;
        // A key that has been written would be written anew, with a value that this schema alone holds.
        if (names.some(matches))
          throw context.unsupported(path, "patternProperties", "where they match a property's name");
        return member(quoted(containing(parseRegex(simplified(pattern)), context.effort)), rule);
      }),
    );
  }
  const open = keys.only ? false : (additionalProperties ?? Object.keys(properties as object).length === 0);
  const value = open === false ? NEVER : context.rule(open, `${path}/additionalProperties`);
  if (value === NEVER || keys.any) return member(stringExcept(names), value);
  if (names.some(keys.fits)) throw context.unsupported(path, "propertyNames", "where they match a property's name");
  return member(keys.rule(), value);
}

/**
 * How many members there may be. A free key may be written twice and then counts once, so a least number beyond the required
 * ones can't be promised, unless it is one; a most can.
 */
function countsOf(
  schema: SchemaObject,
  path: string,
  members: readonly Member[],
  extra: Rule,
  context: SchemaContext,
): [least: number, most: number] {
  const least = countOf(schema, "minProperties", path, 0);
  const most = countOf(schema, "maxProperties", path, Number.POSITIVE_INFINITY);
  const required = members.filter((member) => member.required).length;
  if (least > Math.max(required, 1) && (extra !== NEVER || least <= members.length)) {
    throw context.unsupported(path, "minProperties", "beyond what is required");
  }
  if (most < members.length && most >= required && members.length > required) {
    throw context.unsupported(path, "maxProperties", "below the number of properties");
  }
  return [Math.max(least, required), extra === NEVER ? Math.min(most, members.length) : most];
}

function membersRule(
  members: readonly Member[],
  extra: Rule,
  { least, most }: { readonly least: number; readonly most: number },
  define: (rule: Rule) => Rule,
): Rule {
  const extras = extra === NEVER ? 0 : most - members.length;
  const moreExtras = extras > 0 ? repeat(seq(comma, extra), 0, extras) : EMPTY;
  // What may come after each member has been written. Each is a rule of its own: written out again for every member that may
  // be the first, they would be quadratic.
  const tails: Rule[] = new Array(members.length + 1);
  tails[members.length] = define(moreExtras);
  for (let i = members.length - 1; i >= 0; i--) {
    const next = seq(comma, members[i].rule);
    tails[i] = define(seq(members[i].required ? next : optional(next), tails[i + 1]));
  }
  const firsts: Rule[] = [];
  for (const [i, member] of members.entries()) {
    firsts.push(seq(member.rule, tails[i + 1], space));
    if (member.required) return alt(...firsts);
  }
  if (extras > 0) firsts.push(seq(extra, repeat(seq(comma, extra), 0, extras - 1), space));
  return alt(...(least === 0 ? [EMPTY] : []), ...firsts);
}
