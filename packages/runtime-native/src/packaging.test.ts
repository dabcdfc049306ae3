import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadAddon } from "./addon.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = loadAddon({ env: {} }).addon !== undefined;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-pack-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("the packed package runs where there is no compiler", () => {
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-b"], { cwd: root, stdio: "pipe" });
  const env = { ...process.env, ...(built ? {} : { LLM_PACK_WITHOUT_ADDON: "1" }) };
  execFileSync("pnpm", ["pack", "--pack-destination", folder], { cwd: root, env, stdio: "pipe" });
  execFileSync("tar", ["-xzf", execFileSync("ls", [folder]).toString().trim()], { cwd: folder });
  const script = join(folder, "package/try.mjs");
  writeFileSync(
    script,
    'import { addonStatus, cpuFeatures } from "@llm/runtime-native"; console.log(JSON.stringify([addonStatus(), cpuFeatures()]));',
  );
  const said = execFileSync(process.execPath, [script], { cwd: folder, env: { PATH: "" } }).toString();
  const [status, cpu] = JSON.parse(said) as [{ state: string; file?: string }, { arch: string }];
  expect(cpu.arch).toBe(process.arch);
  if (built) expect(status).toMatchObject({ state: "loaded", file: expect.stringContaining("prebuilds") });
  else expect(status.state).toBe("not-built");
});

test("without its binary, or with one that doesn't load, it isn't packed", () => {
  const stage = (file: string, env: Record<string, string> = {}) =>
    spawnSync(process.execPath, [join(root, "scripts/stage-prebuild.ts"), file], {
      env: { ...process.env, LLM_PACK_WITHOUT_ADDON: "", ...env },
      encoding: "utf8",
    });
  const absent = join(folder, "absent.node");
  expect(stage(absent)).toMatchObject({ status: 1, stderr: expect.stringMatching(/^not packed: [^\n]+\n$/) });
  expect(stage(absent, { LLM_PACK_WITHOUT_ADDON: "1" }).status).toBe(0);
  const other = join(folder, "other.node");
  writeFileSync(other, "no binary");
  expect(stage(other).status).toBe(1);
});
