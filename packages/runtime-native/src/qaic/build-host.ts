import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { NativeError } from "../error.ts";

export interface BuildHostOptions {
  /** The folder of the vendor's SDK: /opt/qti-aic. */
  readonly sdk: string;
  /** The program to make. */
  readonly program: string;
  /** The C++ compiler; $CXX, else c++. */
  readonly compiler?: string;
}

const SOURCES = fileURLToPath(new URL("../../native/qaic/host", import.meta.url));
const HEADER = "QAicApi.hpp";
/** The library's name, in the SDK and in its open parts. */
const LIBRARIES = ["libQAic.so", "libQAicCore.so"];
/** What processors are called in the SDK's folders. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  x64: ["x86_64", "x64", ""],
  arm64: ["aarch64", "arm64", ""],
};

/** Whether an SDK has what the adapter is compiled against, and where. */
export function hostFiles(sdk: string): { readonly header?: string; readonly library?: string } {
  const header = ["dev/inc", "inc"].map((folder) => join(sdk, folder, HEADER)).find(existsSync);
  const folders = (ARCHITECTURES[process.arch] ?? [""]).flatMap((arch) => [
    join(sdk, "dev/lib", arch),
    join(sdk, "lib", arch),
  ]);
  const library = folders.flatMap((folder) => LIBRARIES.map((name) => join(folder, name))).find(existsSync);
  return { ...(header ? { header } : {}), ...(library ? { library } : {}) };
}

/**
 * Compiles the adapter against the header of the SDK that is installed: it may not be passed on, and differs between SDKs.
 * A program that was there before stays until the new one is whole.
 */
export async function buildQaicHost({
  sdk,
  program,
  compiler = process.env.CXX || "c++",
}: BuildHostOptions): Promise<string> {
  const { header, library } = hostFiles(sdk);
  if (header === undefined || library === undefined)
    throw new NativeError(
      "runtime-missing",
      `${sdk} has no ${header === undefined ? `dev/inc/${HEADER}` : LIBRARIES[0]}: install the Cloud AI Platform SDK, or set QAIC_SDK_DIR`,
    );
  const sources = (await readdir(SOURCES)).filter((name) => name.endsWith(".cc")).map((name) => join(SOURCES, name));
  await mkdir(dirname(program), { recursive: true });
  const unfinished = `${program}.${process.pid}`;
  const args = ["-std=c++17", "-O2", `-I${dirname(header)}`, ...sources, library, `-Wl,-rpath,${dirname(library)}`];
  try {
    await run(compiler, [...args, "-pthread", "-ldl", "-o", unfinished]);
    await rename(unfinished, program);
  } finally {
    await rm(unfinished, { force: true });
  }
  return program;
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(0, 64 << 10);
  });
  const end = await new Promise<number | string>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once("close", (code, signal) => resolve(code ?? signal ?? 1));
  });
  if (end === 0) return;
  if (end === "ENOENT")
    throw new NativeError(
      "runtime-missing",
      `there is no C++ compiler (${program}): install one, g++ 9 or newer, or set CXX`,
    );
  const line =
    said.split("\n").find((one) => /error|undefined reference|cannot find/i.test(one)) ?? said.split("\n")[0];
  throw new NativeError(
    "runtime-version",
    `the adapter doesn't compile against this SDK: ${line?.trim() || `exit ${end}`}`,
  );
}
