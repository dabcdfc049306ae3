import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A folder for one file of tests, and an environment whose caches are in it. */
export function scratch(): { readonly folder: string; readonly env: Readonly<Record<string, string>> } {
  const folder = mkdtempSync(join(tmpdir(), "toolchain-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, env: { HOME: folder, XDG_CACHE_HOME: join(folder, "cache") } };
}
