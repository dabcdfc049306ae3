import { flagName, type OptionDef } from "@llm/target";

/**
 * One option of the command line, as a target would say it plus what only a command line needs. Flags, environment twins,
 * help, docs and validation are made from it.
 */
export interface CliOption<T = unknown> extends Omit<OptionDef<T>, "shapes"> {
  /** The environment twin without `LLM_`, where that of the flag means something else to other commands. */
  readonly environment?: string;
  /** One letter. */
  readonly short?: string;
  /** What stands for the value in help: "N", "FILE". */
  readonly value?: string;
  /** May be given more than once; the value is a list. */
  readonly repeat?: boolean;
  /** Numbers greater than this one. */
  readonly above?: number;
  /** Keys of options that say the same in another way: a flag for one of them goes before this one's environment twin. */
  readonly rivals?: readonly string[];
  /** Takes nothing that changes anything: accepted because programs of old pass it. The value says why. */
  readonly ignored?: string;
}

/** An option's flag, without dashes. */
export function flagOf(key: string, option: CliOption): string {
  return flagName(key, option);
}

/** The environment variable that says the same as the flag. */
export function environmentOf(key: string, option: CliOption): string {
  return variable(option.environment ?? flagOf(key, option));
}

/** That and those of the flag's other spellings, in the order they are looked at. */
export function environmentsOf(key: string, option: CliOption): readonly string[] {
  const others = (option.alias ?? []).filter((name) => name.length > 1).map(variable);
  return [...new Set([environmentOf(key, option), ...others])];
}

function variable(name: string): string {
  return `LLM_${name.replaceAll("-", "_").toUpperCase()}`;
}

/** A flag as it is typed: one letter takes one dash. */
export function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

/** Every spelling of an option's long flag: kebab case, snake case, aliases, and `no-` for what is on by default. */
export function spellings(key: string, option: CliOption): readonly string[] {
  const names = [flagOf(key, option), ...(option.alias ?? [])];
  return [...new Set(names.flatMap((name) => [name, name.replaceAll("-", "_")]))];
}
