import type { Argument, Command } from "../definition/command.ts";
import { type CliOption, dashed, environmentOf, flagOf, spellings } from "../definition/option.ts";
import { OPTIONS } from "../definition/options.ts";
import type { TargetOptions } from "../parse/known-options.ts";

const WIDTH = 96;

/** `llm --help` */
export function programHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }): Row => [name, summary]);
  return [
    "llm: one checkpoint, every accelerator. Opens a published language model, builds its graph, proves it",
    "right, makes it run on a device, and generates text with it.",
    "",
    "Usage: llm COMMAND [MODEL] [options]",
    "",
    "Commands:",
    ...table(rows),
    "",
    "`llm COMMAND --help` says more. Every option is also an environment variable, LLM_…; options go before variables.",
    "Exit codes: 0 done, 1 failed or a check did not hold, 2 wrong usage, 3 something must be installed, 130 interrupted.",
    "",
    "Start here:",
    '  llm infer --prompt "def fibonacci(n):"',
    "",
  ].join("\n");
}

/** `llm COMMAND --help` */
export function commandHelp(command: Command, targets: readonly TargetOptions[]): string {
  const own = command.options.map((key): Row => optionRow(key, OPTIONS[key]));
  const sections = [
    `${command.summary}.`,
    ...(command.about ? ["", ...wrap(command.about, WIDTH)] : []),
    "",
    `Usage: ${usage(command)}`,
    ...(command.arguments.length > 0 ? ["", ...table(command.arguments.map(argumentRow))] : []),
    "",
    "Options:",
    ...table([...own, ["-h, --help", "Show this help"]]),
    ...targets.flatMap(({ id, options }) => targetSection(id, without(options, command))),
    "",
    "With --json:",
    ...table(Object.entries(command.json)),
    "",
    "Examples:",
    ...command.examples.flatMap(({ line, doc }) => [`  # ${doc}`, `  ${line}`]),
    "",
  ];
  return sections.join("\n");
}

/** `llm infer [MODEL] [options]` */
export function usage(command: Command): string {
  const places = command.arguments.filter(({ flagOnly }) => !flagOnly);
  const args = places.map(({ name, required }) => (required ? name : `[${name}]`));
  return ["llm", command.name, ...args, "[options]"].join(" ");
}

/** `-p, --prompt TEXT` */
export function optionTerm(key: string, option: CliOption): string {
  const short = option.short ? `-${option.short}, ` : "";
  const flag = flagOf(key, option);
  if (option.kind === "boolean") return `${short}--${option.default === true ? `no-${flag}` : flag}`;
  return `${short}--${flag} ${option.value ?? (option.choices ? option.choices.join("|") : PLACEHOLDERS[option.kind])}`;
}

/** What an option does, its default and its other spellings. */
export function optionText(option: CliOption): string {
  const said = option.doc.replace(/\.$/, "");
  const doc = option.default === true && option.kind === "boolean" ? `Don't: ${lowerFirst(said)}` : said;
  const facts: string[] = [];
  const value = option.kind === "boolean" ? "" : printed(option.default ?? "");
  if (value !== "") facts.push(`default: ${value}`);
  if (option.alias?.length) facts.push(`also ${option.alias.map(dashed).join(", ")}`);
  return facts.length === 0 ? doc : `${doc} (${facts.join("; ")})`;
}

const PLACEHOLDERS = { string: "TEXT", number: "N", list: "A,B", choice: "NAME", boolean: "" } as const;

/** A line of a table. */
export type Row = readonly [term: string, text: string];

function optionRow(key: string, option: CliOption): Row {
  return [optionTerm(key, option), `${optionText(option)} [${environmentOf(key, option)}]`];
}

/** What stands for an argument, and what it is. */
export function argumentRow({ name, doc, default: value, flags = [], short, flagOnly }: Argument): Row {
  const said = [...flags, ...(short === undefined ? [] : [short])].map(dashed).join(", ");
  if (flagOnly) return [`${said} ${name}`, doc];
  const facts = [...(value === undefined ? [] : [`default: ${value}`]), ...(said === "" ? [] : [`also ${said}`])];
  return [name, facts.length === 0 ? doc : `${doc} (${facts.join("; ")})`];
}

function targetSection(id: string, options: TargetOptions["options"]): readonly string[] {
  const rows = Object.entries(options).map(([key, option]) => optionRow(key, option));
  return rows.length === 0 ? [] : ["", `Options of --target ${id}:`, ...table(rows)];
}

/** Options that the command has under the same name aren't said twice. */
function without(options: TargetOptions["options"], command: Command): TargetOptions["options"] {
  const own = new Set(command.options.flatMap((key) => spellings(key, OPTIONS[key])));
  return Object.fromEntries(Object.entries(options).filter(([key, option]) => !own.has(flagOf(key, option))));
}

function table(rows: readonly Row[]): readonly string[] {
  const widest = Math.min(30, Math.max(...rows.map(([term]) => term.length)));
  const indent = " ".repeat(widest + 4);
  return rows.flatMap(([term, text]) => {
    const lines = wrap(text, WIDTH - indent.length);
    const first = `  ${term.padEnd(widest)}  ${lines[0] ?? ""}`.trimEnd();
    if (term.length > widest) return [`  ${term}`, ...lines.map((line) => indent + line)];
    return [first, ...lines.slice(1).map((line) => indent + line)];
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}

function printed(value: unknown): string {
  return Array.isArray(value) ? value.join(",") : String(value);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
