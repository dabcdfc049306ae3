import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Rules {
  readonly program: string;
  readonly version: string;
}

const RULES = join(import.meta.dirname, "compiler-rules.json");

/** Installs a stand-in for an SDK into a folder: its compiler in `exec/`, its version file in `versions/`. */
export function installFakeSdk(folder: string, which: string): void {
  const { sdks } = JSON.parse(readFileSync(RULES, "utf8")) as { readonly sdks: Readonly<Record<string, Rules>> };
  const { program, version } = sdks[which]!;
  mkdirSync(join(folder, "exec"), { recursive: true });
  mkdirSync(join(folder, "versions"), { recursive: true });
  const script = join(import.meta.dirname, "fake-compiler.ts");
  const path = join(folder, "exec", program);
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${script}" "${which}" "$@"\n`);
  chmodSync(path, 0o755);
  const xml = `<?xml version="1.0"?>\n<versions><ci_build><base_version>${version}</base_version></ci_build></versions>\n`;
  writeFileSync(join(folder, "versions", "apps.xml"), xml);
}
