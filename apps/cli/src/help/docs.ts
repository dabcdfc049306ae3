import type { Command } from "../definition/command.ts";
import { type CliOption, environmentOf } from "../definition/option.ts";
import { OPTIONS, type OptionValues } from "../definition/options.ts";
import type { TargetOptions } from "../parse/known-options.ts";
import { argumentRow, optionTerm, optionText, usage } from "./text.ts";

/** docs/cli.md, from the same definitions as the help. */
export function cliDocs(commands: readonly Command[], targets: readonly TargetOptions[]): string {
  const lines = [
    "<!-- Made by `pnpm --filter @llm/cli docs:cli` from apps/cli/src/definition; edit that instead. -->",
    "",
    "# The command line",
    "",
    "`llm COMMAND [MODEL] [options]`. In the repository it is `pnpm llm …`; `pnpm -s llm …` keeps pnpm's own lines off stdout.",
    "",
    "- `--json` prints exactly one JSON document, on one line, on stdout; progress goes to stderr. A command that fails prints its line on stderr and nothing on stdout: the exit code says of which kind it is. One that has something to show for it (a check that did not hold, a kit to compile elsewhere) prints its document and the line.",
    "- Flags go before environment variables, and those before defaults. Of what may be repeated a variable holds one, or a JSON list.",
    "- Every flag may be written with underscores, and lists with brackets: `--device_group [0,1]`.",
    "- Options that belong to one target imply it; with another `--target` they are wrong usage.",
    "- Exit codes: 0 done; 1 the work failed or a check did not hold; 2 wrong usage; 3 something must be installed; 130 interrupted.",
    "- An error is one line; `--debug` adds where it happened.",
    "",
    ...markdownTable(
      ["command", "does"],
      commands.map(({ name, summary }) => [`[\`${name}\`](#llm-${name})`, summary]),
    ),
    ...commands.flatMap(commandSection),
    "",
    "## Options",
    "",
    ...markdownTable(
      ["option", "does", "environment"],
      usedOptions(commands).map((key) => optionCells(key, OPTIONS[key])),
    ),
    ...targets.flatMap(({ id, options }) => targetSection(id, options)),
    "",
  ];
  return lines.join("\n");
}

function commandSection(command: Command): readonly string[] {
  const { name, summary, about, examples, json, arguments: args, options, targetOptions } = command;
  return [
    "",
    `## llm ${name}`,
    "",
    `${summary}.${about ? ` ${about}` : ""}`,
    "",
    "```sh",
    usage(command),
    ...examples.flatMap(({ line, doc }) => ["", `# ${doc}`, line]),
    "```",
    "",
    ...args.map(
      (argument) =>
        `- ${argumentRow(argument)
          .map((part, at) => (at === 0 ? `\`${part}\`` : part))
          .join(": ")}`,
    ),
    `- options: ${options
      .map(
        (key) =>
          `\`${
            optionTerm(key, OPTIONS[key])
              .replace(/^-\w, /, "")
              .split(" ")[0]
          }\``,
      )
      .join(" ")}${targetOptions ? " and those of the target" : ""}`,
    `- with \`--json\`: ${Object.entries(json)
      .map(([field, doc]) => `\`${field}\` (${doc})`)
      .join(", ")}`,
  ];
}

function targetSection(id: string, options: TargetOptions["options"]): readonly string[] {
  const rows = Object.entries(options).map(([key, option]) => optionCells(key, option));
  if (rows.length === 0) return [];
  return ["", `### Of \`--target ${id}\``, "", ...markdownTable(["option", "does", "environment"], rows)];
}

function usedOptions(commands: readonly Command[]): readonly (keyof OptionValues)[] {
  const used = new Set(commands.flatMap(({ options }) => options));
  return (Object.keys(OPTIONS) as (keyof OptionValues)[]).filter((key) => used.has(key));
}

function optionCells(key: string, option: CliOption): readonly string[] {
  return [`\`${optionTerm(key, option)}\``, optionText(option), `\`${environmentOf(key, option)}\``];
}

/** Columns padded, so that the formatter and a reader of the source are content. */
function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((title, at) => Math.max(title.length, ...escaped.map((row) => row[at]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...escaped.map(line)];
}
