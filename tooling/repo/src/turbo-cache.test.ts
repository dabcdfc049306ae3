import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { git, withoutGit } from "./git.ts";
import { root, workspacePackages } from "./workspace.ts";

/** A copy of the sources, so that touching one disturbs nobody; the golden data and weights play no part here. */
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "turbo-cache-"));
  const files = git(root, "ls-files", "-co", "--exclude-standard").split("\n");
  for (const file of files) {
    if (file.startsWith("tooling/fixtures/golden/") || file.endsWith(".safetensors")) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    copyIfThere(file);
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  git(copy, "init", "-q");
  git(copy, "add", "-A");
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** One that is listed may be gone: removed, but not yet for git, or of a test that runs at the same time. */
function copyIfThere(file: string): void {
  try {
    cpSync(join(root, file), join(copy, file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Hash of every task, as turbo would look it up in its cache. */
function hashes(): Map<string, string> {
  const out = execFileSync(join(root, "node_modules/.bin/turbo"), ["run", "build", "test", "--dry=json"], {
    cwd: copy,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    env: { ...withoutGit(process.env), TURBO_TELEMETRY_DISABLED: "1" },
  });
  const plan: { tasks: { taskId: string; hash: string }[] } = JSON.parse(out.slice(out.indexOf("{")));
  return new Map(plan.tasks.map((task) => [task.taskId, task.hash]));
}

/** A package and everything that depends on it, directly or not. */
function dependents(name: string): Set<string> {
  const found = new Set([name]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const { manifest } of workspacePackages()) {
      const needs = Object.keys({
        ...manifest.dependencies,
        ...manifest.optionalDependencies,
        ...manifest.devDependencies,
      });
      if (found.has(manifest.name) || !needs.some((need) => found.has(need))) continue;
      found.add(manifest.name);
      grew = true;
    }
  }
  return found;
}

it("reruns nothing when nothing changed, and only a touched package with its dependents", () => {
  const before = hashes();
  expect(before.size).toBeGreaterThan(10);
  expect(hashes()).toEqual(before);
  writeFileSync(join(copy, "packages/generate/src/touched.ts"), "export const touched = 1;\n");
  const after = hashes();
  const changed = new Set(
    [...after].filter(([task, hash]) => before.get(task) !== hash).map(([task]) => task.split("#")[0]),
  );
  expect([...changed].sort()).toEqual([...dependents("@llm/generate")].sort());
});
