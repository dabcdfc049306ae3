import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isInstalled, programPath, type Toolchain, TPU_MLIR_VERSION } from "./toolchain.ts";

/** As the compiler's build writes it into the program: v1.30.2-20260831. */
const VERSION = /v(\d+\.\d+(?:\.\d+)?-\d{8})/;

/** Beside the program, what decides about a bmodel's bytes. */
const LIBRARIES = ["lib/libbackend_bm1684x.so", "lib/libbm1684x_kernel_module.so"];

/**
 * Which compiler makes the bmodels, as what is kept of them is known by. Ours is its version. Somebody's own copy may be any
 * other, or one that was changed: it is the version that it has in it and the beginning of a hash of its files.
 */
export function compilerVersion(toolchain: Toolchain): string {
  if (!toolchain.own || !isInstalled(toolchain)) return TPU_MLIR_VERSION;
  return `${versionIn(toolchain) ?? "unknown"}+${digest(toolchain).slice(0, 16)}`;
}

/** The version that a compiler's program has in it. */
export function versionIn(toolchain: Toolchain): string | undefined {
  return VERSION.exec(readFileSync(programPath(toolchain, "tpuc-opt"), "latin1"))?.[1];
}

function digest(toolchain: Toolchain): string {
  const paths = [
    programPath(toolchain, "tpuc-opt"),
    programPath(toolchain, "model_tool"),
    ...LIBRARIES.map((library) => join(toolchain.folder, library)),
  ];
  const hash = createHash("sha256");
  for (const path of paths) {
    const bytes = contents(path);
    hash.update(`${bytes.length} `).update(bytes);
  }
  return hash.digest("hex");
}

/** An own build may have its libraries elsewhere. */
function contents(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Uint8Array();
    throw error;
  }
}
