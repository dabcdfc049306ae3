import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Case, Measurement, Side } from "../case.ts";

const llm = fileURLToPath(new URL("../../../../apps/cli/src/bin.ts", import.meta.url));

/** From the start of a process to its first byte on stdout, and to its end. */
function timed(args: readonly string[]): Promise<Measurement> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let first = Number.NaN;
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.stdout.on("data", () => {
      if (Number.isNaN(first)) first = performance.now() - start;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0) reject(new Error(`${args.join(" ")} exited ${code}: ${errors.trim()}`));
      else resolve({ first, total: performance.now() - start });
    });
  });
}

const side = (name: string, detail: string, args: readonly string[]): Side => ({
  name,
  detail,
  prepare: async () => {
    await timed(args); // exports what is missing and warms the page cache
  },
  run: () => timed(args),
});

/** How long the bundled checkpoint takes from the shell's Enter to its first piece of text. */
export const startup: Case = {
  name: "cpu-startup",
  title: "Start-up and first token of the bundled checkpoint",
  metrics: [
    { key: "first", unit: "ms", better: "lower", limit: 600 },
    { key: "total", unit: "ms", better: "lower" },
  ],
  rounds: 10,
  baseline: "node",
  sides: async () => [
    side("llm run", "demo, greedy, 1 token, from source", [
      llm,
      "run",
      "demo",
      "--prompt",
      "def f(x):",
      "--max-new-tokens",
      "1",
      "--greedy",
    ]),
    side("llm targets", "no model: the command line alone", [llm, "targets"]),
    side("node", "an empty Node process that prints one line", ["-e", "console.log(1)"]),
  ],
};
