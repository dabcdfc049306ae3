import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { TargetError } from "@llm/target";
import { explainFailure } from "./known-failures.ts";

export interface CompilerRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly signal?: AbortSignal;
  /** Told what it prints, a line each. */
  onLine?(line: string): void;
}

/** How much of what it printed is kept for finding out why it failed. */
const MOST_OUTPUT = 256 << 10;
/** How often its memory is looked at; the kernel keeps the peak, so only its very end can be missed. */
const LOOK_MS = 50;

/** Runs the vendor's compiler; a failure is one line. */
export async function runCompiler(run: CompilerRun): Promise<{ readonly peakRssBytes: number }> {
  const { program, args, folder, signal } = run;
  signal?.throwIfAborted();
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  let rest = "";
  const take = (chunk: Buffer): void => {
    const text = chunk.toString("utf8");
    output = (output + text).slice(-MOST_OUTPUT);
    const lines = (rest + text).split(/[\r\n]+/);
    rest = lines.pop()!.slice(-MOST_OUTPUT);
    for (const line of lines) if (line.trim()) run.onLine?.(line.trim());
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  let peakRssBytes = 0;
  const look = setInterval(async () => {
    peakRssBytes = Math.max(peakRssBytes, await peakOf(child.pid));
  }, LOOK_MS);
  // It starts programs of its own, which would go on: the whole group ends.
  const abort = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // a signal has ended all of it, and that isn't noticed yet
    }
  };
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const end = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, died) => resolve(died ?? code ?? 1));
    });
    signal?.throwIfAborted();
    if (rest.trim()) run.onLine?.(rest.trim());
    if (end !== 0) throw new TargetError("unit-failed", `${basename(program)}: ${explainFailure(output, end)}`);
    return { peakRssBytes };
  } catch (error) {
    if (TargetError.isInstance(error) || signal?.aborted) throw error;
    throw new TargetError("unit-failed", `${program} can't be started: ${(error as Error).message}`, { cause: error });
  } finally {
    clearInterval(look);
    signal?.removeEventListener("abort", abort);
  }
}

async function peakOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
