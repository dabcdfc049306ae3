import { readFileSync } from "node:fs";
import { installedTargets } from "@llm/toolchain/targets";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../definition/commands.ts";
import { environmentOf, environmentsOf, spellings } from "../definition/option.ts";
import { OPTIONS } from "../definition/options.ts";
import { llmCommands } from "../testing/shell-words.ts";
import { cliDocs } from "./docs.ts";
import { commandHelp, programHelp } from "./text.ts";
import { docsPath } from "./write-docs.ts";

const targets = await installedTargets();

describe("help and docs", () => {
  it("docs/cli.md is what the definitions say; `pnpm --filter @llm/cli docs:cli` makes it anew", async () => {
    expect(readFileSync(docsPath, "utf8")).toBe(cliDocs(COMMANDS, targets));
  });

  it("lists every command with its summary, in lines that fit", () => {
    const text = programHelp(COMMANDS);
    const width = Math.max(...COMMANDS.map(({ name }) => name.length));
    for (const { name, summary } of COMMANDS) expect(text).toContain(`  ${name.padEnd(width)}  ${summary}\n`);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    "%s: says defaults, twins, fields and examples",
    (_, command) => {
      const text = commandHelp(command, [
        { id: "chip", options: { cores: { kind: "number", default: 4, doc: "Cores" } } },
      ]);
      const plain = text.replaceAll(/\s+/g, " ");
      for (const key of command.options) {
        const env = environmentOf(key, OPTIONS[key]);
        if (env) expect(plain).toContain(`[${env}]`);
      }
      expect(plain).toContain("--cores N Cores (default: 4) [LLM_CORES]");
      for (const field of Object.keys(command.json)) expect(plain).toContain(` ${field} `);
      for (const { line } of command.examples) expect(text).toContain(line);
      expect(command.examples.length).toBeGreaterThan(0);
    },
  );

  it("spells no two options of a command alike", () => {
    for (const { options } of COMMANDS) {
      const all = options.flatMap((key) => spellings(key, OPTIONS[key]));
      expect(new Set(all).size).toBe(all.length);
    }
  });

  it("gives every environment variable one meaning", () => {
    const meant = new Map<string, string[]>();
    for (const [key, option] of Object.entries(OPTIONS)) {
      for (const name of environmentsOf(key, option)) meant.set(name, [...(meant.get(name) ?? []), key]);
    }
    const shared = [...meant.values()].filter((keys) => keys.length > 1);
    // A plan takes the sizes that a run takes, and a word more; a bench has a shorter name for them.
    expect(shared).toEqual([["batchSize", "planBatchSize", "benchBatch"]]);
  });

  it("has examples that its own parser accepts", async () => {
    const { parseCommand } = await import("../parse/arguments.ts");
    for (const command of COMMANDS)
      for (const { line } of command.examples) {
        const [[name, ...argv] = []] = llmCommands(line);
        expect(name).toBe(command.name);
        expect(() => parseCommand(command, argv, {}, command.targetOptions ? targets : [])).not.toThrow();
      }
  });
});
