// Builds the addon for linux-arm64 (SoC mode) on any Debian machine, and checks that it is what it should be:
//   apt-get install g++-aarch64-linux-gnu qemu-user
//   node scripts/build-arm64.ts
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, renameSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = "build-arm64/Release/llm_native.node";

run("cmake-js", [
  "build",
  "--log-level",
  "warn",
  "--arch",
  "arm64",
  "-O",
  "build-arm64",
  `--CDCMAKE_TOOLCHAIN_FILE=${root}scripts/arm64-toolchain.cmake`,
]);
run(process.execPath, ["scripts/glibc-baseline.ts", built]);
mkdirSync(`${root}prebuilds/linux-arm64`, { recursive: true });
const part = `${root}${built}.${process.pid}`;
copyFileSync(`${root}${built}`, part);
renameSync(part, `${root}prebuilds/linux-arm64/llm_native.node`); // at once, for whoever packs meanwhile
process.stdout.write("prebuilds/linux-arm64/llm_native.node is ready\n");

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status === 0) return;
  process.stderr.write(
    `${command} failed${error ? `: ${error.message}` : ""} (needs g++-aarch64-linux-gnu and cmake)\n`,
  );
  process.exit(1);
}
