import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Manifest, type Package, root } from "./workspace.ts";

/** Paths that a package's tarball would hold; nothing is written, and no script is run. */
export function filesToPack({ dir }: Package): string[] {
  const args = ["pack", "--dry-run", "--json", "--config.ignore-scripts=true"];
  const said = JSON.parse(execFileSync("pnpm", args, { cwd: join(root, dir), encoding: "utf8" }));
  return said.files.map(({ path }: { path: string }) => path);
}

/** What nobody who installs a package has any use for. */
const OURS = /(^|\/)testing\/|\.test\.|\.map$|\.tsbuildinfo$/;

/** What is wrong with what would be published of a package, one line each. */
export function packProblems({ dir, manifest }: Package, files: readonly string[]): string[] {
  const there = new Set(files);
  const missing = promised(manifest).filter(
    (path) => !there.has(path) && !files.some((file) => file.startsWith(`${path}/`)),
  );
  return [
    ...missing.map((path) => `${dir}: ${path} is promised by package.json, and wouldn't be in the package`),
    ...files.filter((file) => OURS.test(file)).map((file) => `${dir}: ${file} would be in the package`),
  ];
}

/** Paths that a manifest names: what may be imported and run, and what is said to be packed. */
function promised({ files = [], bin = {}, publishConfig = {}, scripts = {} }: Manifest): string[] {
  const entries = Object.values(publishConfig.exports ?? {}).flatMap((entry) =>
    typeof entry === "string" ? [entry] : Object.values(entry as Readonly<Record<string, string>>),
  );
  // What is made as it is packed isn't here before.
  const kept = scripts.prepack === undefined ? files.filter((file) => !file.startsWith("!")) : [];
  return [...entries, ...Object.values(bin), ...kept].map((path) => path.replace(/^\.\//, ""));
}

/** What the compiler made of sources that are gone. */
export function staleFiles({ dir }: Package, files: readonly string[]): string[] {
  return files.filter((file) => {
    const source = /^dist\/(.+?)(?:\.d\.ts|\.js)$/.exec(file)?.[1];
    return source !== undefined && !existsSync(join(root, dir, "src", `${source}.ts`));
  });
}
