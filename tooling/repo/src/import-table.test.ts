import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allowedImports, forbiddenDependencies, readImportTable } from "./import-table.ts";
import { root, workspacePackages } from "./workspace.ts";

const table = readImportTable();
const packages = workspacePackages();
const published = packages.filter((pkg) => pkg.dir.startsWith("packages/"));

/** Which imports the linter refuses, out of every package importing every specifier: "package specifier". */
function refusedImports(specifiers: readonly string[]): Set<string> {
  const probes = mkdtempSync(join(tmpdir(), "import-probes-"));
  try {
    for (const file of ["biome.json", ".gitignore"]) cpSync(join(root, file), join(probes, file));
    for (const pkg of published) {
      const src = join(probes, pkg.dir, "src");
      mkdirSync(src, { recursive: true });
      specifiers.forEach((specifier, i) => {
        writeFileSync(join(src, `probe-${i}.ts`), `import { probe } from "${specifier}";\nprobe();\n`);
      });
    }
    const run = spawnSync(
      join(root, "node_modules/.bin/biome"),
      ["lint", "--only=style/noRestrictedImports", "--reporter=json", "--max-diagnostics=none", "."],
      { cwd: probes, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
    );
    const found = new Set<string>();
    for (const match of run.stdout.matchAll(/packages\/([\w-]+)\/src\/probe-(\d+)\.ts/g))
      found.add(`${match[1]} ${specifiers[Number(match[2])]}`);
    return found;
  } finally {
    rmSync(probes, { recursive: true });
  }
}

describe("who may import whom", () => {
  it("holds for the dependencies of every package", () => {
    expect(forbiddenDependencies(table, packages)).toEqual([]);
  });

  it("notices a dependency that the table does not allow", () => {
    const bad = {
      name: "tensor",
      dir: "packages/tensor",
      manifest: { name: "@llm/tensor", dependencies: { "@llm/models": "*" } },
    };
    expect(forbiddenDependencies(table, [bad])).toEqual([
      "packages/tensor/package.json: may not depend on @llm/models (ARCHITECTURE.md, Packages)",
    ]);
  });

  it("is held by the linter, for every pair of packages, and so is doing no I/O", () => {
    const specifiers = [...published.map((pkg) => pkg.manifest.name), "node:fs"];
    const expected = new Set<string>();
    for (const pkg of published) {
      const allowed = allowedImports(table, pkg);
      for (const other of published) {
        const refused =
          pkg.name === "toolchain"
            ? other.name.startsWith("target-")
            : allowed !== "any" && !allowed?.includes(other.name);
        if (other !== pkg && refused) expected.add(`${pkg.name} ${other.manifest.name}`);
        if (other === pkg && pkg.name !== "toolchain") expected.add(`${pkg.name} ${other.manifest.name}`);
      }
    }
    for (const pure of ["core-ir", "models", "grammar", "generate", "protocol"]) expected.add(`${pure} node:fs`);
    expect([...refusedImports(specifiers)].sort()).toEqual([...expected].sort());
  });
});
