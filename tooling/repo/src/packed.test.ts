import { describe, expect, it } from "vitest";
import { filesToPack, packProblems, staleFiles } from "./packed.ts";
import { type Manifest, type Package, workspacePackages } from "./workspace.ts";

const published = workspacePackages().filter(({ manifest }) => !manifest.private);

function made(manifest: Partial<Manifest>): Package {
  return { name: "made", dir: "packages/target", manifest: { name: "@llm/made", ...manifest } };
}

describe("what is packed", () => {
  it("has what a manifest promises: exports with their types, programs, and files", () => {
    const exports = { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } };
    const pkg = made({
      publishConfig: { exports },
      bin: { made: "./dist/bin.js" },
      files: ["dist", "!dist/x", "static"],
    });
    const all = ["dist/index.d.ts", "dist/index.js", "dist/bin.js", "static/page.html", "package.json"];
    expect(packProblems(pkg, all)).toEqual([]);
    expect(packProblems(pkg, ["dist/index.js"])).toEqual(
      ["dist/index.d.ts", "dist/bin.js", "static"].map(
        (path) => `packages/target: ${path} is promised by package.json, and wouldn't be in the package`,
      ),
    );
  });

  it.each(["dist/a.test.js", "dist/plan/testing/sizes.js", "dist/index.js.map", "dist/tsconfig.tsbuildinfo"])(
    "has none of what is only ours: %s",
    (file) => {
      expect(packProblems(made({}), [file])).toEqual([`packages/target: ${file} would be in the package`]);
    },
  );

  it("has nothing of sources that are gone", () => {
    const files = ["dist/index.js", "dist/index.d.ts", "dist/gone.js", "README.md"];
    expect(staleFiles(made({}), files)).toEqual(["dist/gone.js"]);
  });

  it("is listed with what isn't compiled", () => {
    const playground = published.find(({ name }) => name === "playground")!;
    expect(filesToPack(playground)).toEqual(expect.arrayContaining(["package.json", "README.md", "static/index.html"]));
  });
});
