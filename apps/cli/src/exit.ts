import { GenerateError, GrammarError } from "@llm/generate";
import { flagOf } from "./definition/option.ts";
import { OPTIONS } from "./definition/options.ts";

/** What the shell is told. */
export const EXIT = {
  done: 0,
  /** The work itself failed, or a check did not hold. */
  failed: 1,
  /** Wrong usage. */
  usage: 2,
  /** Something that must be installed is missing. */
  missing: 3,
  interrupted: 130,
} as const;

/** The command line makes no sense as given. */
export class UsageError extends Error {
  readonly code = "usage";
  readonly exitCode: number = EXIT.usage;

  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** Errors of packages that mean "install something"; every other failure is the work's. */
const MISSING: ReadonlySet<string> = new Set(["target-not-installed", "runtime-missing", "tool-missing"]);

/** Errors of packages that mean "wrong usage". */
const USAGE: ReadonlySet<string> = new Set(["usage", "option-invalid"]);

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (isAbort(error)) return EXIT.interrupted;
  if (GrammarError.isInstance(error)) return EXIT.usage; // a form that can't be had, given as an option
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code !== "string") return EXIT.failed;
  if (USAGE.has(code)) return EXIT.usage;
  return MISSING.has(code) ? EXIT.missing : EXIT.failed;
}

/** Whether an error only says that the user stopped the work. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === "AbortError" || (error as { code?: string }).code === "ABORT_ERR");
}

/** One line for people: what is wrong and what to do. Errors that nobody foresaw say so. */
export function describeError(error: unknown): string {
  if (isAbort(error)) return "interrupted";
  if (!(error instanceof Error)) return String(error);
  const line = error.message.replaceAll(/\s*\n\s*/g, " ");
  const { code } = error as { code?: unknown };
  if (GenerateError.isInstance(error)) return inFlags(line);
  const system = systemFailure(error);
  if (system !== undefined) return system;
  if (typeof code === "string" && !code.startsWith("ERR_")) return line; // ours, or the system's
  return `internal error: ${error.name}: ${line} (this is a bug; --debug shows where it happened)`;
}

/** A generator's message calls options as programs do; here they are flags. */
function inFlags(message: string): string {
  return message.replaceAll(/\b[a-z]+[A-Z]\w*\b/g, (word) =>
    Object.hasOwn(OPTIONS, word) ? `--${flagOf(word, OPTIONS[word as keyof typeof OPTIONS])}` : word,
  );
}

/** What the operating system's codes mean for somebody who wanted to write or read something. */
const SYSTEM: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the disk; free some, or choose another folder",
  EDQUOT: "no space left in your quota; free some, or choose another folder",
  EACCES: "permission denied; choose another place, or change whose it is",
  EPERM: "the system doesn't permit it; choose another place",
  EROFS: "the disk is read-only; choose another place",
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a file is where a folder should be; choose another place",
  EISDIR: "a folder is where a file should be; choose another name",
  EEXIST: "something else is there already; choose another name",
  EMFILE: "too many files are open; raise the limit (ulimit -n)",
};

/** An error of the operating system that nobody on the way put into words, by the path it is about. */
function systemFailure(error: Error): string | undefined {
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined || path === undefined) return undefined;
  return `${path}: ${SYSTEM[code] ?? "the system refuses it"} (${code})`;
}
