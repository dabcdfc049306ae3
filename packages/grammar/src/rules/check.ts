import { GrammarError } from "../error.ts";
import type { Grammar, Rule } from "./rule.ts";

/** Names of the rules that can match the empty text. */
function nullableRules({ rules }: Grammar): ReadonlySet<string> {
  const users = new Map<string, string[]>();
  for (const [name, rule] of rules) {
    for (const used of references(rule)) {
      const known = users.get(used);
      if (known) known.push(name);
      else users.set(used, [name]);
    }
  }
  const nullable = new Set<string>();
  const queue = [...rules.keys()];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (nullable.has(name) || !isNullable(rules.get(name)!, nullable)) continue;
    nullable.add(name);
    queue.push(...(users.get(name) ?? []));
  }
  return nullable;
}

export function isNullable(rule: Rule, nullable: ReadonlySet<string>): boolean {
  switch (rule.kind) {
    case "text":
    case "marker":
      return rule.text === "";
    case "chars":
      return false;
    case "seq":
      return rule.of.every((part) => isNullable(part, nullable));
    case "alt":
      return rule.of.some((part) => isNullable(part, nullable));
    case "repeat":
      return rule.min === 0 || isNullable(rule.of, nullable);
    case "machine":
      return rule.states[0]!.accepting;
    case "ref":
      return nullable.has(rule.name);
  }
}

/** Refuses references to nothing, and rules that begin with themselves: those would be expanded for ever. */
export function checkGrammar(grammar: Grammar): ReadonlySet<string> {
  const { root, rules } = grammar;
  if (!rules.has(root)) throw new GrammarError("syntax", `the grammar has no rule "${root}" to begin with`);
  for (const [name, rule] of rules) {
    for (const used of references(rule)) {
      if (!rules.has(used)) throw new GrammarError("syntax", `rule "${name}" uses "${used}", which is not defined`);
    }
  }
  const nullable = nullableRules(grammar);
  const clear = new Set<string>();
  for (const start of rules.keys()) {
    // An own stack: a chain of rules may be longer than the engine's.
    const path: { name: string; rest: string[] }[] = [];
    const onPath = new Set<string>();
    const enter = (name: string): void => {
      if (clear.has(name)) return;
      if (onPath.has(name)) {
        throw new GrammarError("unsupported", `rule "${name}" begins with itself; write it as a repetition`);
      }
      onPath.add(name);
      path.push({ name, rest: [...leading(rules.get(name)!, nullable)] });
    };
    enter(start);
    while (path.length > 0) {
      const top = path[path.length - 1];
      const next = top.rest.pop();
      if (next !== undefined) {
        enter(next);
        continue;
      }
      clear.add(top.name);
      onPath.delete(top.name);
      path.pop();
    }
  }
  return nullable;
}

function* references(rule: Rule): Generator<string> {
  if (rule.kind === "ref") yield rule.name;
  else if (rule.kind === "seq" || rule.kind === "alt") for (const part of rule.of) yield* references(part);
  else if (rule.kind === "repeat") yield* references(rule.of);
}

/** The rules that can come first, before any character. */
function* leading(rule: Rule, nullable: ReadonlySet<string>): Generator<string> {
  if (rule.kind === "ref") yield rule.name;
  else if (rule.kind === "alt") for (const part of rule.of) yield* leading(part, nullable);
  else if (rule.kind === "repeat") yield* leading(rule.of, nullable);
  else if (rule.kind === "seq") {
    for (const part of rule.of) {
      yield* leading(part, nullable);
      if (!isNullable(part, nullable)) return;
    }
  }
}
