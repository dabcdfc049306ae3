import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { skipWithout } from "./testing/skip-without-addon.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = "build/Release/llm_native.node";

/** Debian's packages: a cross compiler, and a processor in software. */
const TOOLS = ["aarch64-linux-gnu-g++", "qemu-aarch64", "cmake"];
const there = TOOLS.every((tool) => spawnSync(tool, ["--version"], { stdio: "ignore" }).status === 0);
const needs = there ? "" : " (needs: apt-get install cmake g++-aarch64-linux-gnu qemu-user)";

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

test.skipIf(skipWithout(existsSync(`${root}${built}`)))(
  "the addon asks for no newer C library than Ubuntu 22.04 and RHEL 9 have (needs: pnpm build)",
  () => {
    expect(run(process.execPath, "scripts/glibc-baseline.ts", built)).toMatch(/GLIBC 2\.\d+/);
  },
);

describe.skipIf(skipWithout(there))(`on linux-arm64, as in SoC mode${needs}`, () => {
  test("the addon is built, and asks for no newer C library either", { timeout: 600_000 }, () => {
    const said = run("pnpm", "run", "--silent", "build:arm64");
    expect(said).toMatch(/build-arm64\/Release\/llm_native\.node: .*GLIBC 2\.\d+/);
    expect(said).toContain("is ready");
  });

  test("it loads, and runs bmodels", { timeout: 300_000 }, () => {
    expect(run("pnpm", "run", "--silent", "try:arm64")).toContain("the addon works on arm64");
  });
});
