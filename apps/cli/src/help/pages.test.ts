import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { installedTargets } from "@llm/toolchain/targets";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../definition/commands.ts";
import { parseCommand } from "../parse/arguments.ts";
import { llmCommands } from "../testing/shell-words.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const targets = await installedTargets();

/** Pages that people wrote; docs/cli.md is made of the definitions themselves. */
const pages = globSync(["*.md", "docs/*.md", "{packages,apps,tooling}/*/README.md"], { cwd: root })
  .filter((page) => page !== "docs/cli.md")
  .sort();

/** What a command of a page can't be, or nothing. `inText`: it is spoken of, and may end where a value would stand. */
function wrong([name, ...argv]: readonly string[], inText: boolean): string | undefined {
  if (name === undefined || name.startsWith("-") || name === "help" || /^[A-Z]+$/.test(name)) return undefined;
  const command = COMMANDS.find((one) => one.name === name);
  if (!command) return `there is no command ${name}`;
  try {
    parseCommand(command, argv, {}, command.targetOptions ? targets : []);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return inText && message.includes("needs a value") ? undefined : message;
  }
}

function problemsOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```(?:sh|bash|shell|console)\n(.*?)^```/gms)].map(([, code]) => code!);
  const spans = [...text.replaceAll(/^```.*?^```/gms, "").matchAll(/`(llm [^`]*)`/g)].map(([, code]) => code!);
  const check = (code: string, inText: boolean) =>
    llmCommands(code).flatMap((words) => {
      const why = wrong(words, inText);
      return why === undefined ? [] : [`llm ${words.join(" ")}: ${why}`];
    });
  return [...blocks.flatMap((code) => check(code, false)), ...spans.flatMap((code) => check(code, true))];
}

describe("commands that pages show are ones that the program takes", () => {
  it.each(pages)("%s", (page) => {
    expect(problemsOf(readFileSync(`${root}${page}`, "utf8"))).toEqual([]);
  });

  it("finds what isn't one", () => {
    expect(problemsOf("`llm inspect demo --graph graph.html` draws it")).toEqual([
      expect.stringContaining('doesn\'t know what to do with "graph.html"'),
    ]);
    expect(problemsOf("```sh\nA=1 pnpm -s llm run demo \\\n  --promt 'a | b' | tee log # as text\n```\n")).toEqual([
      expect.stringContaining("did you mean --prompt?"),
    ]);
    expect(problemsOf("```sh\nllm verfy demo\n```\n")).toEqual(["llm verfy demo: there is no command verfy"]);
    expect(problemsOf("`llm run … --prompt` and `llm serve MODEL …` and `llm COMMAND --help`")).toEqual([]);
  });
});
