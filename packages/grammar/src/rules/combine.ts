import { type Grammar, type Rule, ref } from "./rule.ts";

/** One grammar out of several: each keeps its rules under names of its own, and `join` says how their roots stand together. */
export function combine(grammars: readonly Grammar[], join: (...roots: readonly Rule[]) => Rule): Grammar {
  const rules = new Map<string, Rule>();
  const roots = grammars.map(({ root, rules: own }, i) => {
    for (const [name, rule] of own) rules.set(`${i}/${name}`, renamed(rule, `${i}/`));
    return ref(`${i}/${root}`);
  });
  rules.set("root", join(...roots));
  return { root: "root", rules };
}

function renamed(rule: Rule, prefix: string): Rule {
  switch (rule.kind) {
    case "ref":
      return ref(prefix + rule.name);
    case "seq":
    case "alt":
      return { kind: rule.kind, of: rule.of.map((part) => renamed(part, prefix)) };
    case "repeat":
      return { ...rule, of: renamed(rule.of, prefix) };
    default:
      return rule;
  }
}
