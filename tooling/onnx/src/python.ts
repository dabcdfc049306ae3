import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PYTHON = process.env.LLM_PYTHON ?? "python3";

/** Whether Python has a package; what to install where it hasn't. */
export function lacks(module: string, install: string): string | undefined {
  const found = spawnSync(PYTHON, ["-c", `import ${module}`]).status === 0;
  return found ? undefined : `needs ${install}: pip install ${install}, and LLM_PYTHON=… if it is not python3's`;
}

/** Runs a script of this folder and returns what it printed, whatever its exit code. */
export function python(script: string, args: readonly string[]): string {
  const file = fileURLToPath(new URL(`../${script}`, import.meta.url));
  try {
    return execFileSync(PYTHON, [file, ...args], { encoding: "utf8", maxBuffer: 2 ** 26 });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    if (stdout) return stdout;
    throw new Error(stderr, { cause: error });
  }
}
