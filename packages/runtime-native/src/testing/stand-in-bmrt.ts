import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BmrtLibraries } from "../bmrt/index.ts";

const SOURCE = fileURLToPath(new URL("../../native-testing/stand_in_bmrt.c", import.meta.url));

export const hasCompiler = spawnSync("cc", ["--version"], { stdio: "ignore" }).status === 0;

/** Builds the stand-in for the vendor's libraries; both are the same file. */
export function standIn(folder: string, generation: "2023" | "now" = "now"): BmrtLibraries {
  const file = join(folder, `libstand_in_${generation}.so`);
  const old = generation === "2023" ? ["-DSTAND_IN_OF_2023"] : [];
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-Wall", ...old, "-o", file, SOURCE]);
  return { bmlib: file, bmrt: file };
}
