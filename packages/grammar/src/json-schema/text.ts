import { ANY, charactersOf, codePoints, intersect, subtract } from "../rules/code-points.ts";
import { alt, chars, many, onEach, type Rule, repeat, seq, text } from "../rules/rule.ts";

const MUST_ESCAPE = codePoints([0, 0x1f], [0x22, 0x22], [0x5c, 0x5c]);
const SHORT: Readonly<Record<number, string>> = { 8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 34: '"', 92: "\\" };

const hex = chars(codePoints([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]));
const low = seq(text("\\u"), chars(charactersOf("dD")), chars(charactersOf("cdefCDEF")), hex, hex);
const high = seq(text("\\u"), chars(charactersOf("dD")), chars(charactersOf("89abAB")), hex, hex);
/** Four digits that stand for a character by themselves: everything but D800–DFFF. */
const plain = seq(
  text("\\u"),
  alt(
    seq(chars(codePoints([0x30, 0x39], [0x41, 0x43], [0x45, 0x46], [0x61, 0x63], [0x65, 0x66])), hex),
    seq(chars(charactersOf("dD")), chars(codePoints([0x30, 0x37]))),
  ),
  hex,
  hex,
);

/** One character inside a JSON string, however it is written. */
export const stringCharacter: Rule = alt(
  chars(subtract(ANY, MUST_ESCAPE)),
  seq(text("\\"), chars(charactersOf('"\\/bfnrt'))),
  plain,
  seq(high, low),
);

/** A JSON string of so many characters. */
export function stringOf(min: number, max: number): Rule {
  return seq(text('"'), repeat(stringCharacter, min, max), text('"'));
}

/** A JSON string whose characters match `rule`. */
export function quoted(rule: Rule): Rule {
  return seq(text('"'), escaped(rule), text('"'));
}

/** The same texts as they stand inside a JSON string. */
function escaped(rule: Rule): Rule {
  switch (rule.kind) {
    case "text":
      return text(JSON.stringify(rule.text).slice(1, -1));
    case "chars": {
      const special = intersect(rule.set, MUST_ESCAPE);
      const escapes: Rule[] = [];
      for (let i = 0; i < special.length; i += 2) {
        for (let code = special[i]; code <= special[i + 1]; code++) {
          escapes.push(text(SHORT[code] ?? `u${code.toString(16).padStart(4, "0")}`));
        }
      }
      return alt(chars(subtract(rule.set, MUST_ESCAPE)), seq(text("\\"), alt(...escapes)));
    }
    case "seq":
      return seq(...rule.of.map(escaped));
    case "alt":
      return alt(...rule.of.map(escaped));
    case "repeat":
      return repeat(escaped(rule.of), rule.min, rule.max);
    case "machine":
      return onEach(rule, escaped);
    case "marker":
    case "ref":
      throw new Error("a pattern is a regular expression: it refers to no rules, and no tokens");
  }
}

/** A string that is none of `names`; written without escapes, so that no spelling of a name slips through. */
export function stringExcept(names: readonly string[]): Rule {
  const letters = chars(subtract(ANY, MUST_ESCAPE));
  const level = (rest: readonly string[]): Rule => {
    const firsts = new Set(
      rest.filter((name) => name !== "").map((name) => String.fromCodePoint(name.codePointAt(0)!)),
    );
    const ways: Rule[] = rest.includes("") ? [] : [text("")];
    ways.push(seq(chars(subtract(ANY, subtractable([...firsts].join("")))), many(letters)));
    for (const first of firsts) {
      const below = rest.filter((name) => name.startsWith(first)).map((name) => name.slice(first.length));
      ways.push(seq(text(first), level(below)));
    }
    return alt(...ways);
  };
  const reachable = names.filter((name) => JSON.stringify(name) === `"${name}"`);
  return seq(text('"'), level(reachable), text('"'));
}

const subtractable = (firsts: string) => codePoints(...pairsOf(MUST_ESCAPE), ...pairsOf(charactersOf(firsts)));

function pairsOf(set: readonly number[]): [number, number][] {
  return Array.from({ length: set.length / 2 }, (_, i) => [set[2 * i], set[2 * i + 1]]);
}
