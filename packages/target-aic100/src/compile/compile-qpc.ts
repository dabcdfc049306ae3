import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { TargetError } from "@llm/target";
import { makeFolder } from "@llm/tensor/files";
import { QPC_FILE, RECORD_FILE } from "./artefact-name.ts";
import { type CompilePlan, planCompile } from "./compile-plan.ts";
import { type ModelFiles, readModel } from "./compiled-model.ts";
import { runCompiler } from "./run-compiler.ts";
import { chooseProfile, compilerOf, type Environment, findSdk } from "./sdk.ts";
import { PROFILES, type SdkProfile, type SdkProfileId } from "./sdk-profiles.ts";
import { type CompileSettings, DEFAULT_SETTINGS } from "./settings.ts";
import { KIT_SCRIPT, writeFiles, writePlan, writeScript } from "./write-plan.ts";

/** What `compile` is told: all but the graph has the defaults of the library it stands in for. */
export interface CompileOptions extends Partial<Omit<CompileSettings, "profile">> {
  readonly onnxPath: string;
  /** Where folders with the published names go; the working folder unless said. */
  readonly folder?: string;
  readonly sdkProfile?: SdkProfileId | "auto";
  /** Compile again, whatever is there. */
  readonly force?: boolean;
  readonly env?: Environment;
  readonly signal?: AbortSignal;
  /** Told what the compiler prints, a line each. */
  onLine?(line: string): void;
}

export interface Compiled {
  /** The folder of programqpc.bin. */
  readonly qpcPath: string;
  /** It was there already, made from the same things. */
  readonly upToDate: boolean;
  readonly peakRssBytes: number;
}

/** The folder of what is to be compiled elsewhere: never mistaken for a QPC. */
export const KIT_FOLDER = "compile-kit";

/**
 * Compiles an exported graph with the vendor's compiler; skipped when the same was compiled before. Without the compiler,
 * everything for it is written to `compile-kit/`, and the error says where that is.
 *
 * @example
 * const { qpcPath } = await compile({ onnxPath: "onnx/gpt2.onnx", name: "gpt2", numCores: 16, ctxLen: 1024 });
 */
export async function compile(options: CompileOptions): Promise<Compiled> {
  const {
    onnxPath,
    folder: given = ".",
    sdkProfile = "auto",
    force,
    env = process.env,
    signal,
    onLine,
    ...rest
  } = options;
  const folder = resolve(given);
  const sdk = findSdk(env);
  const profile = chooseProfile(sdkProfile, sdk);
  const settings: CompileSettings = {
    ...DEFAULT_SETTINGS,
    mxfp6: true,
    name: basename(onnxPath, ".onnx"),
    ...rest,
    profile,
  };
  const model = await readModel(onnxPath);
  const plan = planCompile(settings, model);
  const compiler = compilerOf(profile, sdk);
  const qpcPath = join(folder, plan.paths.binaries);
  if (!force && (await isUpToDate(qpcPath, plan.key))) return { qpcPath, upToDate: true, peakRssBytes: 0 };
  if (compiler === undefined) {
    const kit = join(folder, KIT_FOLDER);
    await replaceBy(kit, folder, (scratch) => writeKit(plan, model, scratch));
    throw new TargetError("tool-missing", kitAdvice(PROFILES[profile], kit));
  }
  let peakRssBytes = 0;
  const done = join(folder, plan.folder);
  await replaceBy(done, folder, async (scratch) => {
    const run = {
      compiler,
      plan,
      model,
      folder: scratch,
      ...(signal ? { signal } : {}),
      ...(onLine ? { onLine } : {}),
    };
    peakRssBytes = (await compileIn(run)).peakRssBytes;
    return join(scratch, plan.folder);
  });
  await writeFiles(filesAround(plan), folder);
  return { qpcPath, upToDate: false, peakRssBytes };
}

/** The recipe keeps its configuration where it is called, not in the folder that is replaced. */
function filesAround({ files, folder }: CompilePlan): CompilePlan["files"] {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith(`${folder}/`)));
}

/** What to do with a kit. */
export function kitAdvice({ program, naming }: SdkProfile, kit: string): string {
  const names = naming === "hash" ? "; --sdk-profile recipe has the GPTBigCode recipe's graph and folder names" : "";
  return `nothing was compiled: ${program} (Cloud AI Apps SDK, x86-64 Linux, no card needed) is not on this machine; take ${kit} to one that has it and run ./${KIT_SCRIPT}, or install the SDK (QAIC_SDK_DIR says where it is)${names}`;
}

/** Everything that a compile needs elsewhere. */
export async function writeKit(plan: CompilePlan, model: ModelFiles, folder: string): Promise<string> {
  await writePlan(plan, model, folder);
  await writeScript(plan, folder);
  return folder;
}

export interface CompileRun {
  readonly compiler: string;
  readonly plan: CompilePlan;
  readonly model: ModelFiles;
  /** An empty one. */
  readonly folder: string;
  readonly signal?: AbortSignal;
  onLine?(line: string): void;
}

/** Runs the compiler in a folder, and makes sure that it did what it said. */
export async function compileIn(run: CompileRun): Promise<{ readonly peakRssBytes: number }> {
  const { compiler, plan, model, folder, signal } = run;
  await writePlan(plan, model, folder);
  const binaries = join(folder, plan.paths.binaries);
  await makeFolder(dirname(binaries));
  const result = await runCompiler({
    program: compiler,
    args: plan.args,
    folder,
    ...(signal ? { signal } : {}),
    onLine: (line) => run.onLine?.(line),
  });
  const info = await stat(join(binaries, QPC_FILE)).catch(() => undefined);
  if (!info?.isFile() || info.size === 0)
    throw new TargetError("unit-failed", `${plan.program} said it was done, but made no ${QPC_FILE}`);
  await writeFile(
    join(binaries, RECORD_FILE),
    `${JSON.stringify({ key: plan.key, batchSize: plan.batchSize, program: plan.program, args: plan.args })}\n`,
  );
  return result;
}

async function isUpToDate(qpcPath: string, key: string): Promise<boolean> {
  try {
    const record = JSON.parse(await readFile(join(qpcPath, RECORD_FILE), "utf8")) as { readonly key?: unknown };
    return record.key === key && (await stat(join(qpcPath, QPC_FILE))).size > 0;
  } catch {
    return false; // never compiled, or by somebody else
  }
}

/**
 * Makes a folder under another name and gives it its own when it is whole; what was there before stays until then, and goes
 * in one step. A failure leaves it as it was.
 */
async function replaceBy(to: string, beside: string, make: (scratch: string) => Promise<string>): Promise<void> {
  await makeFolder(beside);
  const scratch = await mkdtemp(join(beside, ".compiling-"));
  try {
    const work = join(scratch, "work");
    await mkdir(work);
    const made = await make(work);
    await makeFolder(dirname(to));
    const aside = join(scratch, "replaced");
    await rename(to, aside).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    try {
      await rename(made, to);
    } catch (error) {
      await rename(aside, to).catch(() => undefined);
      throw error;
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
