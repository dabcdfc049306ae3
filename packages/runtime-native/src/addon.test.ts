import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addonPlaces, addonStatus, loadAddon } from "./addon.ts";
import { skipWithout } from "./testing/skip-without-addon.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "llm-addon-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function place(file: string, text: string): void {
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
}

test("without a binary the reason says for which platform and how to get one", () => {
  const { addon, status } = loadAddon({ root, platform: "plan9-mips", env: {} });
  expect(addon).toBeUndefined();
  expect(status.state).toBe("not-built");
  expect(status).toHaveProperty("reason", expect.stringContaining("no binary for plan9-mips"));
});

test("a damaged binary is no reason to stop", () => {
  const [, prebuilt] = addonPlaces(root, "linux-x64");
  place(prebuilt!, "not a shared object");
  const { addon, status } = loadAddon({ root, platform: "linux-x64", env: {} });
  expect(addon).toBeUndefined();
  expect(status).toMatchObject({ state: "failed", file: prebuilt });
});

test("the addon can be switched off", () => {
  expect(loadAddon({ env: { LLM_ADDON: "off" } }).status.state).toBe("off");
});

test("another binary can be named", () => {
  const file = join(root, "mine.node");
  writeFileSync(file, "");
  expect(loadAddon({ root, env: { LLM_ADDON: file } }).status).toMatchObject({ state: "failed", file });
  const gone = `${file}.gone`;
  const reason = `LLM_ADDON is ${gone}, and there is no such file`;
  expect(loadAddon({ root, env: { LLM_ADDON: gone } }).status).toEqual({ state: "failed", reason, file: gone });
});

test("one that was built here comes before the one that was shipped", () => {
  const [built, prebuilt] = addonPlaces(root, "linux-x64");
  place(built!, "");
  place(prebuilt!, "");
  expect(loadAddon({ root, platform: "linux-x64", env: {} }).status).toHaveProperty("file", built);
});

test("the status tells the truth", () => {
  const status = addonStatus();
  if (status.state === "loaded") expect(loadAddon().addon?.abi).toBeGreaterThan(0);
  else expect(status.reason).not.toBe("");
});

const built = loadAddon();
test.skipIf(skipWithout(built.addon !== undefined))("several workers can load it (needs: pnpm build)", async () => {
  const script = `
    import { Worker, isMainThread } from "node:worker_threads";
    import { addonStatus, cpuFeatures } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
    if (addonStatus().state !== "loaded" || cpuFeatures().source !== "addon") process.exit(1);
    if (isMainThread) for (let i = 0; i < 4; i++) new Worker(new URL(import.meta.url)).on("exit", (code) => { if (code) process.exit(code); });
  `;
  const file = join(root, "workers.ts");
  writeFileSync(file, script);
  execFileSync(process.execPath, [file]);
});
