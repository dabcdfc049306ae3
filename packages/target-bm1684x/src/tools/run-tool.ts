import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TargetError } from "@llm/target";
import { type Program, programPath, type Toolchain, toolEnvironment } from "./toolchain.ts";

export interface ToolRun {
  readonly args: readonly string[];
  /** Where it runs, and what it takes for its home. */
  readonly folder: string;
  readonly signal?: AbortSignal;
}

export interface ToolResult {
  readonly output: string; // the end of what it said
  readonly peakRssBytes: number;
}

/** How often a program's peak memory is looked at: the kernel keeps the peak, so only its very end can be missed. */
const LOOK_MS = 20;

/** What is kept of a program's words. */
const MOST_OUTPUT = 64 << 10;

/** Runs a program of the vendor's in a folder; an error ends with what it said last. */
export async function runTool(toolchain: Toolchain, program: Program, run: ToolRun): Promise<ToolResult> {
  const { args, folder, signal } = run;
  signal?.throwIfAborted();
  const child = spawn(programPath(toolchain, program), args, {
    cwd: folder,
    env: toolEnvironment(toolchain, folder),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString("utf8")).slice(-MOST_OUTPUT);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let peakRssBytes = 0;
  const look = setInterval(async () => {
    peakRssBytes = Math.max(peakRssBytes, await peakOf(child.pid));
  }, LOOK_MS);
  const abort = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const end = await new Promise<string | undefined>((resolve, reject) => {
      child.once("error", (cause) => {
        const path = programPath(toolchain, program);
        reject(new TargetError("tool-missing", `${path} can't be started: ${cause.message}`, { cause }));
      });
      child.once("close", (code, died) => resolve(code === 0 ? undefined : (died ?? `exit code ${code}`)));
    });
    signal?.throwIfAborted();
    if (end !== undefined)
      throw new TargetError(
        "unit-failed",
        `${program}: ${end}: ${lastWords(output)}${libraryAdvice(toolchain, output)}`,
      );
    return { output, peakRssBytes };
  } finally {
    clearInterval(look);
    signal?.removeEventListener("abort", abort);
  }
}

/** What the wheel brings of a system's own libraries: older than many machines', they break whatever loads them beside those. */
const OF_A_SYSTEM =
  "libc.so.6 libm.so.6 libpthread.so.0 libgcc_s.so.1 libstdc++.so.6 libz.so.1 liblzma.so.5 libpython3.10.so.1.0";

function libraryAdvice({ folder, own }: Toolchain, output: string): string {
  if (!own || !/GLIBC(XX)?_\d|stack smashing/.test(output)) return "";
  return `; move the system libraries that the wheel brings out of ${join(folder, "lib", "third_party")}: ${OF_A_SYSTEM}`;
}

async function peakOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** The line that tells most: the first that speaks of an error, not the addresses after it. */
function lastWords(output: string): string {
  const lines = output.split("\n").map((line) => line.split("\r").at(-1)!.trim());
  const telling = lines.find((line) => /error|assert|fail|abort|terminate/i.test(line));
  return telling ?? lines.filter(Boolean).at(-1) ?? "it said nothing";
}
