import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Package, root } from "./workspace.ts";

/** What each published package may import of ours, as the table in ARCHITECTURE.md says; "any" is no limit. */
export type ImportTable = ReadonlyMap<string, readonly string[] | "any">;

/** Reads the Packages table of ARCHITECTURE.md: the one place where the rule is written. */
export function readImportTable(markdown: string = readFileSync(join(root, "ARCHITECTURE.md"), "utf8")): ImportTable {
  const table = new Map<string, readonly string[] | "any">();
  for (const line of markdown.split("\n")) {
    const cells = line.split("|").map((cell) => cell.trim());
    const name = /^`(@llm\/[\w*-]+|apps\/[\w-]+|tooling\/\*|examples)`$/.exec(cells[1] ?? "")?.[1];
    if (name === undefined || cells.length < 5) continue;
    const allowed = cells[3].replace(/\(.*?\)/g, "").trim();
    const list = allowed === "–" ? [] : allowed.split(",").map((item) => item.trim());
    table.set(name.replace("@llm/", ""), /^(any|all)\b/.test(allowed) ? "any" : list);
  }
  if (table.size === 0) throw new Error("ARCHITECTURE.md has no Packages table");
  return table;
}

/** The row that governs a package: its own, or the wildcard one. */
export function allowedImports(table: ImportTable, pkg: Package): readonly string[] | "any" | undefined {
  if (pkg.dir.startsWith("tooling/")) return table.get("tooling/*");
  if (pkg.dir.startsWith("apps/") || pkg.dir === "examples") return table.get(pkg.dir);
  return table.get(pkg.name) ?? (pkg.name.startsWith("target-") ? table.get("target-*") : undefined);
}

/** Runtime dependencies that the table does not allow, one line each. */
export function forbiddenDependencies(table: ImportTable, packages: readonly Package[]): string[] {
  const problems: string[] = [];
  for (const pkg of packages) {
    const allowed = allowedImports(table, pkg);
    if (allowed === undefined) {
      problems.push(`${pkg.dir}: not in the Packages table of ARCHITECTURE.md; add its row`);
      continue;
    }
    if (allowed === "any") continue;
    for (const dependency of Object.keys({ ...pkg.manifest.dependencies, ...pkg.manifest.optionalDependencies }))
      if (dependency.startsWith("@llm/") && !allowed.includes(dependency.slice(5)))
        problems.push(`${pkg.dir}/package.json: may not depend on ${dependency} (ARCHITECTURE.md, Packages)`);
  }
  return problems;
}
