import { parseArgs } from "node:util";
import type { Call, Command } from "../definition/command.ts";
import { type CliOption, environmentOf, flagOf, spellings } from "../definition/option.ts";
import { DEFAULT_TARGET, OPTIONS } from "../definition/options.ts";
import { UsageError } from "../exit.ts";
import { suggest } from "./suggest.ts";
import { parseRepeated, parseValue } from "./value.ts";

/** The options of one installed target. */
export interface TargetOptions {
  readonly id: string;
  readonly options: Readonly<Record<string, CliOption>>;
}

/** What was asked for, and what to tell the user about how it was said. */
export interface Parsed extends Call {
  readonly help: boolean;
  readonly notes: readonly string[];
}

/** An option of this command, and whose it is: the command line's own, an argument's other spelling, or some targets'. */
interface Known {
  readonly kind: "own" | "argument" | "target";
  readonly key: string;
  readonly option: CliOption;
  readonly targets: readonly string[];
}

interface Given {
  readonly known: Known;
  readonly value: unknown;
  readonly said: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const HELP: CliOption<boolean> = { kind: "boolean", short: "h", doc: "Show this help" };

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
  const given: Given[] = [];
  const notes: string[] = [];
  for (const [flag, { value, spelled }] of said.options) {
    const entry = known.get(flag)!;
    if (entry.option.ignored) notes.push(entry.option.ignored);
    if (entry.kind === "own") {
      own[entry.key] = value;
      if (!spelled.startsWith("-")) settings.add(entry.key);
    } else if (entry.kind === "argument") args[entry.key] = value as string;
    else given.push({ known: entry, value, said: spelled });
  }
  takePositionals(command, said.positionals, args, help);
  // A setting in the environment is for the target it belongs to, and no reason to choose another.
  const flags = given.filter(({ said }) => said.startsWith("-"));
  const asked = own.target as string | undefined;
  const possible = help ? [DEFAULT_TARGET] : possibleTargets(asked, flags, targets);
  const target = help ? undefined : (asked ?? impliedTarget(flags, possible));
  // Of several, the model says which: an artefact was made for one.
  const meant = target !== undefined ? [target] : possible.includes(DEFAULT_TARGET) ? [DEFAULT_TARGET] : possible;
  const fitting = given.filter(({ known }) => meant.some((id) => known.targets.includes(id)));
  const targetOptions = Object.fromEntries(fitting.map(({ known, value }) => [known.key, value]));
  return { args, options: own, settings, target, targetOptions, help, notes };
}

/** By canonical flag. Options that several targets share are one option. */
function knownOptions(command: Command, targets: readonly TargetOptions[]): Map<string, Known> {
  const known = new Map<string, Known>([["help", { kind: "own", key: "help", option: HELP, targets: [] }]]);
  const add = (flag: string, entry: Known) => known.set(flag, entry);
  for (const key of command.options)
    add(flagOf(key, OPTIONS[key]), { kind: "own", key, option: OPTIONS[key], targets: [] });
  for (const { key, doc, flags = [], short } of command.arguments)
    for (const [at, flag] of flags.entries())
      add(flag, {
        kind: "argument",
        key,
        targets: [],
        option: { kind: "string", doc, ...(short && at === 0 ? { short } : {}) },
      });
  for (const { id, options } of targets)
    for (const [key, option] of Object.entries(options)) {
      const flag = flagOf(key, option);
      const before = known.get(flag);
      if (before && before.kind !== "target") continue; // the command's own meaning goes first
      // Each target may have names of its own for what they share.
      const alias = [...new Set([...(before?.option.alias ?? []), ...(option.alias ?? [])])];
      add(flag, {
        kind: "target",
        key,
        option: alias.length > 0 ? { ...option, alias } : option,
        targets: [...(before?.targets ?? []), id],
      });
    }
  return known;
}

interface Said {
  readonly options: Map<string, { value: unknown; spelled: string }>;
  readonly positionals: readonly string[];
}

function readFlags(command: Command, argv: readonly string[], known: ReadonlyMap<string, Known>): Said {
  const flagBySpelling = new Map<string, string>();
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [flag, { key, option, kind }] of known)
    for (const [at, name] of (kind === "argument"
      ? [flag, flag.replaceAll("-", "_")]
      : spellings(key, option)
    ).entries()) {
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
  const hint = close === undefined ? `\`llm ${command.name} --help\` lists what there is` : `did you mean --${close}?`;
  return new UsageError(`llm ${command.name} has no option ${said}; ${hint}`);
}

function addEnvironment(options: Said["options"], known: ReadonlyMap<string, Known>, env: Environment): void {
  const flags = new Set([...options.keys()].map((flag) => known.get(flag)!.key));
  for (const [flag, entry] of known) {
    if (entry.kind === "argument" || entry.key === "help") continue;
    const name = environmentOf(entry.key, entry.option);
    const text = env[name];
    const rival = entry.option.rivals?.some((key) => flags.has(key));
    if (text === undefined || text === "" || options.has(flag) || rival) continue;
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

function possibleTargets(
  asked: string | undefined,
  given: readonly Given[],
  installed: readonly TargetOptions[],
): readonly string[] {
  for (const { known, said } of given) {
    if (asked !== undefined && !known.targets.includes(asked))
      throw new UsageError(
        `${said} belongs to ${known.targets.join(" and ")}, not to --target ${asked}; leave one of them out`,
      );
  }
  if (asked !== undefined) return [asked];
  if (given.length === 0) return [DEFAULT_TARGET];
  const possible = installed.map(({ id }) => id).filter((id) => given.every(({ known }) => known.targets.includes(id)));
  if (possible.length > 0) return possible;
  throw new UsageError(
    `${given.map(({ said }) => said).join(" and ")} belong to different targets; leave some of them out`,
  );
}

/** An option that only one target has implies it; one that several have implies nothing. */
function impliedTarget(given: readonly Given[], possible: readonly string[]): string | undefined {
  return given.length > 0 && possible.length === 1 && possible[0] !== DEFAULT_TARGET ? possible[0] : undefined;
}
