import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const root: string = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, unknown>> };
}

export interface Package {
  readonly name: string; // without the scope
  readonly dir: string; // relative to the root
  readonly manifest: Manifest;
}

/** Every package of the workspace under `base`. */
export function workspacePackages(base: string = root): Package[] {
  const packages: Package[] = [];
  for (const group of ["packages", "apps", "tooling"]) {
    if (!existsSync(join(base, group))) continue;
    for (const entry of readdirSync(join(base, group)).sort()) {
      const file = join(base, group, entry, "package.json");
      if (!existsSync(file)) continue;
      const manifest: Manifest = JSON.parse(readFileSync(file, "utf8"));
      packages.push({ name: manifest.name.replace("@llm/", ""), dir: `${group}/${entry}`, manifest });
    }
  }
  return packages;
}
