import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findTarget, installedTargets, surveyTargets } from "./targets.ts";
import { scratch } from "./testing/scratch.ts";

const { folder } = scratch();

/** Puts a package where npm would. */
function install(name: string, source: string): void {
  const home = join(folder, "node_modules", "@llm", name);
  mkdirSync(home, { recursive: true });
  writeFileSync(
    join(home, "package.json"),
    JSON.stringify({ name: `@llm/${name}`, version: "1.2.3", type: "module", exports: "./index.js" }),
  );
  writeFileSync(join(home, "index.js"), source);
}

describe("installed targets", () => {
  it("are found by their package's name", async () => {
    expect((await installedTargets()).map(({ id }) => id)).toContain("cpu");
    expect(await findTarget("cpu")).toMatchObject({ id: "cpu", package: "@llm/target-cpu" });
  });

  it("are found from any folder they are installed in, and one that is broken takes none with it", async () => {
    const stub =
      "{ specificationVersion: 1, id: 'abacus', title: 'An abacus', options: {}, features: [], dialects: [], pipeline() {}, build() {} }";
    install("target-abacus", `export const abacus = ${stub};`);
    install("target-broken", "import 'not-there-at-all';");
    install("target-empty", "export const nothing = 1;");
    install("tensor", "export {};");
    const inside = join(folder, "deeper");
    mkdirSync(inside);
    const { targets, broken } = await surveyTargets([inside]);
    expect(targets.map(({ id, version }) => [id, version])).toEqual([["abacus", "1.2.3"]]);
    expect(broken.map(({ id }) => id)).toEqual(["broken", "empty"]);
    expect(broken[1]!.reason).toContain("@llm/target-empty exports no target");
  });

  it("say how to get one that isn't there", async () => {
    await expect(findTarget("teapot", [folder])).rejects.toMatchObject({
      code: "target-not-installed",
      message: expect.stringContaining("npm install @llm/target-teapot"),
    });
    await expect(findTarget("../cpu", [folder])).rejects.toMatchObject({ code: "target-not-installed" });
  });
});
