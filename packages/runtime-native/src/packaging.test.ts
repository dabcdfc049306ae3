import { execFileSync } from "node:child_process";
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
  execFileSync("pnpm", ["pack", "--pack-destination", folder], { cwd: root, stdio: "pipe" });
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
