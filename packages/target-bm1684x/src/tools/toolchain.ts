import { statSync } from "node:fs";
import { join } from "node:path";
import { TargetError } from "@llm/target";
import { cacheHome } from "@llm/target/engine";

/** The vendor's compiler, by its package's name and the version that this package was written for and tested with. */
export const COMPILER = "tpu-mlir";
export const TPU_MLIR_VERSION = "1.30.2";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the vendor's compiler is, or would be installed. */
export interface Toolchain {
  readonly folder: string;
  /** Somebody's own copy, which nothing here changes. */
  readonly own: boolean;
}

/** `TPU_MLIR_DIR` is a folder with `bin/tpuc-opt`: the `tpu_mlir` folder of an unpacked wheel. */
export function toolchainOf(env: Environment = process.env): Toolchain {
  if (env.TPU_MLIR_DIR) return { folder: env.TPU_MLIR_DIR, own: true };
  return { folder: join(cacheHome(env), "llm", "tools", `tpu-mlir-${TPU_MLIR_VERSION}`, "tpu_mlir"), own: false };
}

/** Programs that a toolchain must have. */
export const PROGRAMS = ["tpuc-opt", "model_tool"] as const;
export type Program = (typeof PROGRAMS)[number];

export function programPath({ folder }: Toolchain, program: Program): string {
  return join(folder, "bin", program);
}

export function isInstalled(toolchain: Toolchain): boolean {
  return PROGRAMS.every((program) => isFile(programPath(toolchain, program)));
}

/** The toolchain, or an error that says how to get it. */
export function requireToolchain(env: Environment = process.env): Toolchain {
  const toolchain = toolchainOf(env);
  if (isInstalled(toolchain)) return toolchain;
  throw new TargetError(
    "tool-missing",
    toolchain.own
      ? `TPU_MLIR_DIR=${toolchain.folder} has no bin/tpuc-opt; point it to the tpu_mlir folder of an unpacked tpu-mlir ${TPU_MLIR_VERSION} wheel`
      : `the BM1684X compiler is not installed; llm doctor --target bm1684x --install fetches it`,
  );
}

/** What a program of the toolchain must have around it, and nothing of the user's own. */
export function toolEnvironment({ folder }: Toolchain, home: string): Record<string, string> {
  return {
    TPUC_ROOT: folder,
    LD_LIBRARY_PATH: [join(folder, "lib"), join(folder, "lib", "third_party")].join(":"),
    // One each: nets are compiled side by side, and one alone gains little from more.
    OMP_NUM_THREADS: "1",
    HOME: home,
    PWD: home,
    PATH: "/usr/bin:/bin",
  };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
