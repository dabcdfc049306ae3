import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whoever writes to stdin neither says anything nor leaves. */
  readonly waiting?: boolean;
  /** Whoever reads stderr leaves at once, as `2>&1 | head -1` does. */
  readonly deaf?: boolean;
  /** Called once something is on stderr or stdout, with a way to send a signal. */
  onOutput?(text: string, kill: (signal: NodeJS.Signals) => void): void;
}

const bin = fileURLToPath(new URL("../bin.ts", import.meta.url));

/** A home of its own for every file of tests, so that nothing is found that another run left. */
export function testHome(): { readonly home: string; remove(): void } {
  const home = mkdtempSync(join(tmpdir(), "llm-cli-"));
  return { home, remove: () => rmSync(home, { recursive: true, force: true }) };
}

/** Variables that say which tools there are; all others that the program reads would be options that no test has given. */
const TOOLS = ["LLM_PYTHON", "LLM_ADDON", "LLM_CPU_KERNEL"];

function neutral(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isOption = (name: string) => /^(LLM|HF)_|^(NO|FORCE)_COLOR$/.test(name) && !TOOLS.includes(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isOption(name)));
}

/** Runs the program as a user does: a process with arguments, nothing shared. */
export function runCli(args: readonly string[], home: string, options: CliOptions = {}): Promise<CliRun> {
  const env = {
    ...neutral(process.env),
    HOME: home,
    XDG_CACHE_HOME: join(home, ".cache"),
    HF_HUB_OFFLINE: "1",
    ...options.env,
  };
  const child = spawn(process.execPath, [bin, ...args], { env, cwd: options.cwd ?? home });
  const kill = (signal: NodeJS.Signals) => void child.kill(signal);
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
      options.onOutput?.(text, kill);
    });
  if (options.deaf) child.stderr.destroy();
  if (!options.waiting) child.stdin.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? (signal === "SIGINT" ? 130 : null), ...output }));
  });
}

/** The one JSON document on stdout; an error when there is anything else. */
export function jsonOf({ stdout, stderr }: CliRun): Record<string, unknown> {
  const lines = stdout.split("\n");
  if (lines.length !== 2 || lines[1] !== "") throw new Error(`not one line on stdout: ${stdout}\n${stderr}`);
  return JSON.parse(lines[0]!) as Record<string, unknown>;
}
