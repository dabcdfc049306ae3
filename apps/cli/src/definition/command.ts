import type { Io } from "../output/io.ts";
import type { SaidOption } from "../parse/choose-target.ts";
import type { OptionValues } from "./options.ts";

/** One command: everything that help, docs, parsing and shell scripts need to know of it. Its code is loaded when it runs. */
export interface Command {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** A paragraph or two for `llm help COMMAND` and the docs. */
  readonly about?: string;
  readonly arguments: readonly Argument[];
  readonly options: readonly (keyof OptionValues)[];
  /** Whether the options of installed targets belong to it. */
  readonly targetOptions: boolean;
  /** Whether --target reference, the plain interpreter, is one of its targets. */
  readonly reference?: boolean;
  readonly examples: readonly Example[];
  /** Fields of the `--json` document; a promise to scripts. */
  readonly json: Readonly<Record<string, string>>;
  load(): Promise<CommandModule>;
}

export interface Argument {
  readonly name: string; // "MODEL"
  readonly key: string; // "model"
  readonly doc: string;
  readonly default?: string;
  readonly required?: boolean;
  /** Has no place of its own: only its flags say it. */
  readonly flagOnly?: boolean;
  /** Takes all that is left, joined by spaces. */
  readonly rest?: boolean;
  /** Options that say the same, from programs this one replaces. */
  readonly flags?: readonly string[];
  readonly short?: string;
}

export interface Example {
  readonly line: string;
  readonly doc: string;
}

export interface CommandModule {
  run(call: Call, io: Io): Promise<Outcome>;
}

/** What was asked for, checked and typed. */
export interface Call {
  readonly args: Readonly<Record<string, string | undefined>>;
  readonly options: Partial<OptionValues>;
  /** Those of its options that only the environment says: lasting settings, which need not fit every call. */
  readonly settings: ReadonlySet<string>;
  /** The chosen target, with those of its options that were given. */
  readonly target: string | undefined;
  readonly targetOptions: Readonly<Record<string, unknown>>;
  /** Whether only the environment names the target: something finished may be for another. */
  readonly targetIsSetting: boolean;
  /** Options of targets that were said by flags. */
  readonly targetFlags: readonly SaidOption[];
  /** Those that only the environment says, for whichever targets they are. */
  readonly targetSettings: Readonly<Record<string, unknown>>;
}

/** What a command has to say at the end. */
export interface Outcome {
  /** The `--json` document, unless it has been written. */
  readonly json?: object;
  /** What is printed without `--json`; nothing, where it was streamed. */
  readonly text?: string;
  /** What was found wrong, for stderr; the document is printed all the same, and the exit code is 1. */
  readonly problem?: string;
  /** Where it isn't what follows from `problem`. */
  readonly exitCode?: number;
}
