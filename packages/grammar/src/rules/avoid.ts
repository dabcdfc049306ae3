import { charactersOf, subtract } from "./code-points.ts";
import { alt, chars, NEVER, onEach, type Rule, repeat, seq, text } from "./rule.ts";

/** The texts of a rule without those that have a character; `spelling` is what may stand for it, where something may. */
export function avoid(rule: Rule, character: string, spelling?: string): Rule {
  const inner = (part: Rule): Rule => avoid(part, character, spelling);
  switch (rule.kind) {
    case "text":
      if (!rule.text.includes(character)) return rule;
      return spelling === undefined ? NEVER : text(rule.text.replaceAll(character, spelling));
    case "chars":
      return chars(subtract(rule.set, charactersOf(character)));
    case "seq":
      return seq(...rule.of.map(inner));
    case "alt":
      return alt(...rule.of.map(inner));
    case "repeat":
      return repeat(inner(rule.of), rule.min, rule.max);
    case "machine":
      return onEach(rule, inner);
    case "marker":
    case "ref":
      return rule;
  }
}
