import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { addonFinding, bm1684xDoctor } from "../doctor.ts";
import { missingToolchain } from "../testing/toolchain.ts";
import { installToolchain } from "./install.ts";
import { toolchainOf } from "./toolchain.ts";
import { WHEEL } from "./wheel.ts";

const folder = mkdtempSync(join(tmpdir(), "llm-install-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** An environment whose pip is a script, and whose cache is empty. */
function environment(name: string, script: string): Record<string, string> {
  const python = join(folder, `${name}.sh`);
  writeFileSync(python, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { PATH: process.env.PATH!, LLM_PYTHON: python, XDG_CACHE_HOME: join(folder, name) };
}

/** What pip was told to write to. */
const DEST = 'while [ "$1" != --dest ]; do shift; done';

describe("installing the compiler", () => {
  it("refuses a wheel that is not the published one, and leaves nothing behind", async () => {
    const env = environment("other", `${DEST}; echo other > "$2/${WHEEL.file}"`);
    await expect(installToolchain({ env })).rejects.toThrow(`${WHEEL.file} is not the published one: its SHA-256 is`);
    expect(readdirSync(join(folder, "other", "llm", "tools"))).toEqual([]);
  });

  it("says what pip said", async () => {
    const env = environment("offline", "echo 'ERROR: No matching distribution found' >&2; exit 1");
    await expect(installToolchain({ env })).rejects.toThrow(
      `pip can't download ${WHEEL.requirement}: ERROR: No matching distribution found`,
    );
  });

  it("says what to do without Python", async () => {
    const env = { PATH: "", LLM_PYTHON: join(folder, "none"), XDG_CACHE_HOME: folder };
    await expect(installToolchain({ env })).rejects.toThrow(
      /can't be run: install Python 3 with pip, or fetch tpu_mlir/,
    );
  });

  it("leaves somebody's own copy alone", async () => {
    const env = { TPU_MLIR_DIR: join(folder, "own") };
    await expect(installToolchain({ env })).rejects.toThrow("is your own copy; unset it to have one installed");
    expect(existsSync(env.TPU_MLIR_DIR)).toBe(false);
  });
});

describe("the doctor", () => {
  const ask = (env: Record<string, string>, platform = "linux", arch = "x64") => bm1684xDoctor({ env, platform, arch });

  it("says how to get what is missing", async () => {
    const [finding] = await ask({ XDG_CACHE_HOME: folder });
    expect(finding).toMatchObject({ state: "missing", fix: "llm doctor --target bm1684x --install" });
  });

  it("says what is wrong with an own copy", async () => {
    const [finding] = await ask({ TPU_MLIR_DIR: folder });
    expect(finding).toMatchObject({ state: "missing", detail: `TPU_MLIR_DIR=${folder} has no bin/tpuc-opt` });
  });

  it("knows where the compiler can't run", async () => {
    const [finding] = await ask({}, "linux", "arm64");
    expect(finding).toMatchObject({ state: "warning" });
  });

  it("says that nothing runs without the addon, be it on the simulator", async () => {
    const reason = "there is no binary for linux-x64";
    expect(addonFinding({ state: "not-built", reason })).toMatchObject({
      state: "missing",
      detail: expect.stringMatching(/nor simulated: there is no binary/),
      fix: expect.stringContaining("pnpm build"),
    });
    expect(addonFinding({ state: "loaded", file: "llm_native.node" })).toMatchObject({ state: "ok" });
    expect((await ask({})).map(({ name }) => name)).toEqual(["tpu-mlir", "libsophon", "addon"]);
  });

  const missing = missingToolchain();
  it.skipIf(missing)(`tries what is there${missing ? `: ${missing}` : ""}`, async () => {
    const [finding] = await bm1684xDoctor({ env: process.env, platform: process.platform, arch: process.arch });
    expect(finding).toMatchObject({ name: "tpu-mlir", state: "ok" });
    expect(finding!.detail).toContain(toolchainOf().folder);
  });
});
