import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { undeclaredImports } from "./declared.ts";
import type { Package } from "./workspace.ts";

it("takes what only tests have for undeclared where it ships, and says what nobody declares", () => {
  const base = mkdtempSync(join(tmpdir(), "declared-"));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), text);
  };
  const packageOf = (name: string, manifest: object = {}): Package => ({
    name,
    dir: `packages/${name}`,
    manifest: { name: `@llm/${name}`, ...manifest },
  });
  const packages = [
    packageOf("one", { dependencies: { "@llm/two": "*" }, devDependencies: { "@llm/doubles": "*" } }),
    packageOf("two"),
    packageOf("doubles"),
    packageOf("three"),
  ];
  try {
    const paths = ["two", "doubles", "three"].map((name) => ({ path: `../${name}` }));
    write("packages/one/tsconfig.json", JSON.stringify({ references: paths }));
    write(
      "packages/one/src/ships.ts",
      '/**\n * import { y } from "@llm/three";\n */\nimport { x } from "@llm/doubles";\n',
    );
    write("packages/one/src/tested.test.ts", 'import { x } from "@llm/doubles";\nimport { y } from "@llm/two";\n');
    write("packages/one/src/testing/more.ts", 'import { x } from "@llm/doubles";\nimport { z } from "@llm/three";\n');
    expect(undeclaredImports(packages[0]!, packages, base).sort()).toEqual([
      "packages/one/src/ships.ts: imports @llm/doubles, which package.json doesn't declare for those who install it",
      "packages/one/src/testing/more.ts: imports @llm/three, which package.json doesn't declare",
    ]);
  } finally {
    rmSync(base, { recursive: true });
  }
});
