import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The Python that has what `tooling/clients/requirements.txt` names. */
const python = process.env.LLM_PYTHON || "python3";

/** A tool may write much about what it does. */
const OUTPUT_BYTES = 64 * 2 ** 20;

/** A folder for what tools write, and a way to be rid of it. */
export function toolFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "llm-clients-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs a Python module as a program, cut off from every network but this machine's; gives what it printed. */
export async function runTool(module: string, args: readonly string[], folder: string): Promise<string> {
  const env = {
    ...process.env,
    HOME: folder,
    HF_HOME: join(folder, "hf"),
    HF_HUB_OFFLINE: "1",
    HF_DATASETS_OFFLINE: "1",
    TRANSFORMERS_OFFLINE: "1",
    OPENAI_API_KEY: "none",
  };
  try {
    const { stdout } = await run(python, ["-m", module, ...args], { env, cwd: folder, maxBuffer: OUTPUT_BYTES });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`${module} failed:\n${stdout?.slice(-4000)}\n${stderr?.slice(-4000)}`, { cause: error });
  }
}
