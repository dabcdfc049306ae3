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
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, unknown>> };
  readonly files?: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
}

export interface Package {
  readonly name: string; // without the scope
  readonly dir: string; // relative to the root
  readonly manifest: Manifest;
}

/** Folders that may hold a package, as pnpm-workspace.yaml lists them: "packages/*", or one by name. */
function candidates(base: string): string[] {
  const listed = readFileSync(join(base, "pnpm-workspace.yaml"), "utf8");
  const patterns = /^packages:\n((?: {2}- .+\n)+)/m.exec(listed)?.[1].match(/(?<=- ).+/g) ?? [];
  return patterns.flatMap((pattern) => {
    if (!pattern.endsWith("/*")) return [pattern];
    const group = pattern.slice(0, -2);
    return existsSync(join(base, group)) ? readdirSync(join(base, group)).map((entry) => `${group}/${entry}`) : [];
  });
}

/** Every package of the workspace under `base`. */
export function workspacePackages(base: string = root): Package[] {
  const packages: Package[] = [];
  for (const dir of candidates(base).sort()) {
    const file = join(base, dir, "package.json");
    if (!existsSync(file)) continue;
    const manifest: Manifest = JSON.parse(readFileSync(file, "utf8"));
    packages.push({ name: manifest.name.replace("@llm/", ""), dir, manifest });
  }
  return packages;
}
