import { parseArgs } from "node:util";
import type { Call, Command } from "../definition/command.ts";
import { dashed, environmentsOf, spellings } from "../definition/option.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import { UsageError } from "../exit.ts";
import { chooseTarget, type SaidOption } from "./choose-target.ts";
import { type Known, knownOptions, type TargetOptions } from "./known-options.ts";
import { suggest } from "./suggest.ts";
import { parseRepeated, parseValue } from "./value.ts";

/** What was asked for, and what to tell the user about how it was said. */
export interface Parsed extends Call {
  readonly help: boolean;
  readonly notes: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a command's arguments by its definition. Flags go before environment twins, and those before defaults (which
 * commands apply themselves, so that they can tell what was asked for).
 */
export function parseCommand(
  command: Command,
  argv: readonly string[],
  env: Environment,
  targets: readonly TargetOptions[] = [],
): Parsed {
  const known = knownOptions(command, targets);
  const said = readFlags(command, argv, known);
  const help = said.options.has("help");
  if (!help) addEnvironment(said.options, known, env);

  const own: Record<string, unknown> = {};
  const settings = new Set<string>();
  const args: Record<string, string | undefined> = {};
  const given: SaidOption[] = [];
  const notes: string[] = [];
  for (const [flag, { value, spelled }] of said.options) {
    const entry = known.get(flag)!;
    if (entry.option.ignored) notes.push(entry.option.ignored);
    if (entry.kind === "own") {
      own[entry.key] = value;
      if (!spelled.startsWith("-")) settings.add(entry.key);
    } else if (entry.kind === "argument") args[entry.key] = value as string;
    else given.push({ key: entry.key, targets: entry.targets, value, said: spelled });
  }
  takePositionals(command, said.positionals, args, help);
  // A setting in the environment is for the target it belongs to, and no reason to choose another.
  const targetFlags = given.filter(({ said }) => said.startsWith("-"));
  const isSetting = settings.has("target");
  const named = own.target as string | undefined;
  const { target, possible } = help
    ? { target: undefined, possible: [DEFAULT_TARGET] }
    : chooseTarget({
        flag: isSetting ? undefined : named,
        setting: isSetting ? named : undefined,
        flags: targetFlags,
        installed: targets.map(({ id }) => id),
      });
  const fitting = given.filter((one) => possible.some((id) => one.targets.includes(id)));
  return {
    args,
    options: own,
    settings,
    target,
    targetIsSetting: isSetting && target === named,
    targetOptions: valuesOf(fitting),
    targetFlags,
    targetSettings: valuesOf(given.filter(({ said }) => !said.startsWith("-"))),
    help,
    notes,
  };
}

function valuesOf(given: readonly SaidOption[]): Record<string, unknown> {
  return Object.fromEntries(given.map(({ key, value }) => [key, value]));
}

interface Said {
  readonly options: Map<string, { value: unknown; spelled: string }>;
  readonly positionals: readonly string[];
}

function readFlags(command: Command, argv: readonly string[], known: ReadonlyMap<string, Known>): Said {
  const flagBySpelling = new Map<string, string>();
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [flag, { key, option }] of known)
    for (const [at, name] of spellings(key, option).entries()) {
      flagBySpelling.set(name, flag);
      options[name] = { type: option.kind === "boolean" ? "boolean" : "string" };
      if (at === 0 && option.short) options[name].short = option.short;
    }
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true, allowNegative: false });
  const said: Said = {
    options: new Map(),
    positionals: tokens.flatMap((t) => (t.kind === "positional" ? [t.value] : [])),
  };
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const negative = /^no[-_]/.test(token.name) ? flagBySpelling.get(token.name.slice(3)) : undefined;
    const flag = flagBySpelling.get(token.name) ?? negative;
    const entry = flag === undefined ? undefined : known.get(flag);
    if (flag === undefined || entry === undefined || (negative && entry.option.kind !== "boolean"))
      throw unknownOption(command, token.rawName, flagBySpelling.keys());
    said.options.set(flag, {
      value: readValue(
        entry,
        unswallowed(token, flagBySpelling),
        negative !== undefined,
        said.options.get(flag)?.value,
      ),
      spelled: token.rawName,
    });
  }
  return said;
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** `--prompt --no-stream`: a value that is itself an option means that the value was forgotten. `--prompt=--stream` is meant. */
function unswallowed(token: OptionToken, known: ReadonlyMap<string, string>): OptionToken {
  const name = token.inlineValue ? undefined : /^--([^=]+)/.exec(token.value ?? "")?.[1];
  if (name === undefined || !(known.has(name) || known.has(name.replace(/^no[-_]/, "")))) return token;
  throw new UsageError(
    `${token.rawName} needs a value; if ${token.value} is meant to be it: ${token.rawName}=${token.value}`,
  );
}

function readValue(entry: Known, token: OptionToken, negative: boolean, before: unknown): unknown {
  const { option } = entry;
  if (option.kind === "boolean" && token.value === undefined) return !negative;
  if (token.value === undefined) throw new UsageError(`${token.rawName} needs a value: ${option.doc.toLowerCase()}`);
  const value = parseValue(option, token.value, token.rawName);
  if (option.repeat) return [...((before as unknown[] | undefined) ?? []), value];
  return negative ? !value : value;
}

function unknownOption(command: Command, said: string, known: Iterable<string>): UsageError {
  const close = suggest(said.replace(/^-+/, ""), known);
  const hint =
    close === undefined ? `\`llm ${command.name} --help\` lists what there is` : `did you mean ${dashed(close)}?`;
  return new UsageError(`llm ${command.name} has no option ${said}; ${hint}`);
}

function addEnvironment(options: Said["options"], known: ReadonlyMap<string, Known>, env: Environment): void {
  const flags = new Set(
    [...options].flatMap(([flag, { value }]) => {
      const { key, option } = known.get(flag)!;
      return option.says !== undefined && value !== false ? [key, option.says] : [key];
    }),
  );
  for (const [flag, entry] of known) {
    if (entry.kind === "argument" || entry.key === "help") continue;
    const name = environmentsOf(entry.key, entry.option).find((twin) => env[twin]);
    const { rivals = [], says = entry.key } = entry.option;
    const rival = [entry.key, says, ...rivals].some((key) => flags.has(key));
    if (name === undefined || options.has(flag) || rival) continue;
    const text = env[name]!;
    const parse = entry.option.repeat ? parseRepeated : parseValue;
    options.set(flag, { value: parse(entry.option, text, name), spelled: name });
  }
}

function takePositionals(
  command: Command,
  said: readonly string[],
  args: Record<string, string | undefined>,
  help: boolean,
): void {
  const left = [...said];
  for (const argument of command.arguments) {
    if (args[argument.key] !== undefined) continue; // said by a flag
    if (argument.flagOnly) continue;
    const value = argument.rest ? (left.length > 0 ? left.splice(0).join(" ") : undefined) : left.shift();
    args[argument.key] = value ?? argument.default;
    if (args[argument.key] === undefined && argument.required && !help)
      throw new UsageError(`llm ${command.name} needs ${argument.name}: ${argument.doc}`);
  }
  if (left.length > 0 && !help)
    throw new UsageError(`llm ${command.name} doesn't know what to do with "${left[0]}"; quote text that has spaces`);
}
