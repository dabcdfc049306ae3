import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCES = fileURLToPath(new URL("../../native/qaic/stand-in", import.meta.url));

/** Puts a stand-in for the vendor's SDK into a folder: its header, and its library, compiled. */
export function installStandIn(sdk: string): void {
  const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
  const [inc, lib] = [join(sdk, "dev/inc"), join(sdk, "dev/lib", arch)];
  for (const folder of [inc, lib]) mkdirSync(folder, { recursive: true });
  copyFileSync(join(SOURCES, "inc/QAicApi.hpp"), join(inc, "QAicApi.hpp"));
  copyFileSync(join(SOURCES, "stand_in.h"), join(sdk, "dev/stand_in.h"));
  const flags = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-shared", "-fPIC"];
  execFileSync("cc", [...flags, join(SOURCES, "stand_in.c"), "-o", join(lib, "libQAic.so")]);
}

/** What the stand-in is told of a QPC: two ids and a cache in, logits and the cache out. */
export const MAPPINGS = [
  "input_ids 0 in 32 7 0",
  "past_key.0 1 in 64 1 1",
  "logits 2 out 24 0 0",
  "past_key.0_RetainedState 3 out 64 1 1",
];

export function writeStandInQpc(folder: string, mappings: readonly string[] = MAPPINGS): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "mappings.txt"), `${mappings.join("\n")}\n`);
  const qpc = join(folder, "programqpc.bin");
  writeFileSync(qpc, "a QPC, as far as the stand-in looks");
  return qpc;
}
