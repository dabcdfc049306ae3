import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Package, root } from "./workspace.ts";

/** Every TypeScript file under a folder, relative to it. */
export function sources(dir: string): string[] {
  return (existsSync(dir) ? readdirSync(dir, { recursive: true, encoding: "utf8" }) : []).filter((file) =>
    file.endsWith(".ts"),
  );
}

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["'](@llm\/[\w-]+)(\/[\w-/]+)?["']/g;

/** Lines of comments: examples import what callers have. */
const COMMENT = /^\s*(?:\*|\/\*|\/\/).*$/gm;

/** Imports of ours that package.json or tsconfig.json doesn't know of, and subpaths that nobody exports. */
export function undeclaredImports(pkg: Package, packages: readonly Package[], base: string = root): string[] {
  const problems = new Set<string>();
  if (!existsSync(join(base, pkg.dir, "tsconfig.json"))) return []; // scripts alone
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = pkg.manifest;
  const shipped = { ...dependencies, ...optionalDependencies, ...peerDependencies };
  const here = { ...shipped, ...devDependencies };
  const tsconfig = JSON.parse(readFileSync(join(base, pkg.dir, "tsconfig.json"), "utf8"));
  const references = new Set<string>(
    (tsconfig.references ?? []).map((reference: { path: string }) => join(pkg.dir, reference.path)),
  );
  for (const file of sources(join(base, pkg.dir, "src"))) {
    const text = readFileSync(join(base, pkg.dir, "src", file), "utf8");
    for (const [, name, subpath] of text.replaceAll(COMMENT, "").matchAll(IMPORT)) {
      const where = `${pkg.dir}/src/${file}`;
      const other = packages.find((candidate) => candidate.manifest.name === name);
      if (name === pkg.manifest.name || other === undefined) continue;
      const declared = pkg.manifest.private || isOurs(file) ? here : shipped;
      if (!(name in declared))
        problems.add(
          `${where}: imports ${name}, which package.json doesn't declare${name in here ? " for those who install it" : ""}`,
        );
      if (!references.has(other.dir)) problems.add(`${pkg.dir}/tsconfig.json: lacks a reference to ${other.dir}`);
      if (subpath && !(`.${subpath}` in (other.manifest.exports ?? {})))
        problems.add(`${where}: imports ${name}${subpath}, which ${name} doesn't export`);
    }
  }
  return [...problems];
}

/** Whether a source is for tests: nobody who installs the package has it. */
function isOurs(file: string): boolean {
  return /\.test\.ts$|(^|\/)testing\//.test(file);
}

/** What is published must be there under the same names as in the repo. */
export function exportMismatches(pkg: Package): string[] {
  if (pkg.manifest.private) return [];
  const here = Object.keys(pkg.manifest.exports ?? {})
    .sort()
    .join(" ");
  const published = Object.keys(pkg.manifest.publishConfig?.exports ?? {})
    .sort()
    .join(" ");
  return here === published ? [] : [`${pkg.dir}/package.json: exports "${here}" but publishes "${published}"`];
}
