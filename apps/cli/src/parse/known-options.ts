import type { Command } from "../definition/command.ts";
import { type CliOption, flagOf, spellings } from "../definition/option.ts";
import { OPTIONS } from "../definition/options.ts";

/** The options of one installed target. */
export interface TargetOptions {
  readonly id: string;
  readonly options: Readonly<Record<string, CliOption>>;
}

/** An option of this command, and whose it is: the command line's own, an argument's other spelling, or some targets'. */
export interface Known {
  readonly kind: "own" | "argument" | "target";
  readonly key: string;
  readonly option: CliOption;
  readonly targets: readonly string[];
}

const HELP: CliOption<boolean> = { kind: "boolean", short: "h", doc: "Show this help" };

/** All that a command takes, by canonical flag. Options that several targets share are one option. */
export function knownOptions(command: Command, targets: readonly TargetOptions[]): Map<string, Known> {
  const known = new Map<string, Known>([["help", { kind: "own", key: "help", option: HELP, targets: [] }]]);
  for (const key of command.options)
    known.set(flagOf(key, OPTIONS[key]), { kind: "own", key, option: OPTIONS[key], targets: [] });
  for (const { key, doc, flags: [flag, ...alias] = [], short } of command.arguments) {
    if (flag === undefined) continue;
    const option: CliOption = { kind: "string", doc, flag, alias, ...(short === undefined ? {} : { short }) };
    known.set(flag, { kind: "argument", key, targets: [], option });
  }
  // The command's own meaning of a name goes before a target's.
  const taken = new Set([...known.values()].flatMap(({ key, option }) => spellings(key, option)));
  for (const { id, options } of targets)
    for (const [key, option] of Object.entries(options)) {
      const flag = flagOf(key, option);
      if (taken.has(flag)) continue;
      const before = known.get(flag);
      // Each target may have names of its own for what they share.
      const alias = [...new Set([...(before?.option.alias ?? []), ...(option.alias ?? [])])];
      known.set(flag, {
        kind: "target",
        key,
        option: { ...inCommon(before?.option, option), alias: alias.filter((name) => !taken.has(name)) },
        targets: [...(before?.targets ?? []), id],
      });
    }
  return known;
}

/** An option of several targets takes what any of them does; which of it is right is the chosen one's to say. */
function inCommon(before: CliOption | undefined, option: CliOption): CliOption {
  if (before === undefined) return option;
  const { choices, choiceAlias, min, max, ...rest } = option;
  const says = option.says ?? before.says;
  const isSame = before.kind === option.kind && String(before.choices) === String(choices);
  return {
    ...rest,
    ...(says === undefined ? {} : { says }),
    ...(isSame ? { ...(choices ? { choices } : {}), ...(choiceAlias ? { choiceAlias } : {}) } : { kind: "string" }),
    ...(before.min === undefined || min === undefined ? {} : { min: Math.min(before.min, min) }),
    ...(before.max === undefined || max === undefined ? {} : { max: Math.max(before.max, max) }),
  };
}
