import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testHome } from "./testing/run-cli.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));
const { home, remove } = testHome();
const tarballs = join(home, "tarballs");
const installed = join(home, "installed");
afterAll(remove);

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly publishConfig?: { readonly exports: Readonly<Record<string, unknown>> };
}

const PROGRAM = "@llm/cli";
const ACCELERATORS = ["@llm/target-aic100", "@llm/target-bm1684x"];

/** The program, targets that people add to it, and all packages of this repository that these need: folders by name. */
function published(): ReadonlyMap<string, string> {
  const folders = ["apps", "packages"].flatMap((place) =>
    readdirSync(join(root, place)).map((name) => join(root, place, name)),
  );
  const manifests = new Map(
    folders.map((folder) => [folder, JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest]),
  );
  const folderOf = new Map([...manifests].map(([folder, { name }]) => [name, folder]));
  const needed = new Map<string, string>();
  const need = (name: string) => {
    const folder = folderOf.get(name);
    if (folder === undefined || needed.has(name)) return;
    needed.set(name, folder);
    const { dependencies, optionalDependencies } = manifests.get(folder)!;
    Object.keys({ ...dependencies, ...optionalDependencies }).forEach(need);
  };
  [PROGRAM, ...ACCELERATORS].forEach(need);
  return needed;
}

/** Node versions that the published packages promise to run on, by the npm package that brings them. */
const NODES = ["24", "26"] as const;

const env = {
  ...process.env,
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_update_notifier: "false",
  LLM_PACK_WITHOUT_ADDON: process.env.LLM_TEST_REQUIRE_ALL === "1" ? "" : "1",
  NODE_USE_SYSTEM_CA: "1", // npm runs on the repo's own Node here, which brings its own list of authorities
};
const quiet = { env, maxBuffer: 64e6 };

const registry = await run("npm", ["view", "node@24", "version"], { ...quiet, timeout: 60_000 }).then(
  () => true,
  () => false,
);
if (!registry && process.env.LLM_TEST_REQUIRE_ALL === "1")
  throw new Error("the installed product can't be tested: no package registry answers npm");

const tarballOf = new Map<string, string>();

/** Installs what is chosen of the tarballs into a folder of somebody's. */
async function install(folder: string, chosen: (name: string) => boolean, ...flags: string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "somebody", private: true }));
  const files = [...tarballOf].flatMap(([name, file]) => (chosen(name) ? [file] : []));
  await run("npm", ["install", "--ignore-scripts", ...flags, ...files], { ...quiet, cwd: folder });
}

describe.skipIf(!registry)("the installed product (needs a package registry that npm can reach)", () => {
  beforeAll(async () => {
    mkdirSync(tarballs);
    await run("pnpm", ["exec", "tsc", "-b"], { ...quiet, cwd: join(root, "apps", "cli") });
    for (const [name, folder] of published()) {
      const { stdout } = await run("pnpm", ["pack", "--json", "--pack-destination", tarballs], {
        ...quiet,
        cwd: folder,
      });
      tarballOf.set(name, `file:${JSON.parse(stdout.slice(stdout.indexOf("{\n"))).filename}`);
    }
    // As somebody would: their own folder, their own npm, only what was published.
    await install(installed, (name) => !ACCELERATORS.includes(name));
    for (const version of NODES) {
      const folder = join(home, `node-${version}`);
      mkdirSync(folder);
      await run("npm", ["install", "--prefix", folder, `node@${version}`], { ...quiet, cwd: folder });
    }
  }, 600_000);

  const llm = (version: string, args: readonly string[]) => {
    const node = join(home, `node-${version}`, "node_modules", ".bin", "node");
    const bin = join(installed, "node_modules", "@llm", "cli", "dist", "bin.js");
    const own = {
      ...env,
      HOME: home,
      XDG_CACHE_HOME: join(home, `.cache-${version}`),
      PATH: `${dirname(node)}:${process.env.PATH}`,
    };
    return run(node, [bin, ...args], { cwd: installed, env: own, maxBuffer: 64e6, timeout: 120_000 });
  };

  it.each(NODES)("generates text under Node %s, and skips what is done the second time", async (version) => {
    const args = ["infer", "--prompt", "def fibonacci(n):\n", "--greedy", "--max-new-tokens", "8", "--json"];
    const first = JSON.parse((await llm(version, args)).stdout);
    expect(first.tokens).toEqual([217, 333, 305, 1311, 372, 26, 640, 30]);
    expect(first.stages.map(({ name }: { name: string }) => name)).toEqual([
      "fetch",
      "export",
      "verify",
      "compile",
      "run",
    ]);
    const second = JSON.parse((await llm(version, args)).stdout);
    expect(
      second.stages.filter(({ skipped }: { skipped: boolean }) => !skipped).map(({ name }: { name: string }) => name),
    ).toEqual(["run"]);
  });

  it("brings its command and nothing of the repository", async () => {
    const { stdout } = await run(join(installed, "node_modules", ".bin", "llm"), ["targets", "--json"], {
      ...quiet,
      cwd: installed,
    });
    expect(JSON.parse(stdout).targets.map(({ id }: { id: string }) => id)).toEqual(["cpu"]);
    const names = readdirSync(join(installed, "node_modules", "@llm", "cli"));
    expect(names.sort()).toEqual(
      ["LICENSE", "README.md", "dist", "node_modules", "package.json"].filter((name) => names.includes(name)),
    );
    expect(
      readdirSync(join(installed, "node_modules", "@llm", "cli", "dist")).filter((name) => name.includes(".test.")),
    ).toEqual([]);
  });

  describe("with accelerators alone", () => {
    const folder = join(home, "accelerators");
    const own = { ...env, HOME: home, XDG_CACHE_HOME: join(home, ".cache-accelerators") };
    beforeAll(() => install(folder, (name) => name !== "@llm/target-cpu", "--omit=optional"), 300_000);

    const json = async (...args: string[]) => {
      const bin = join(folder, "node_modules", ".bin", "llm");
      const { stdout } = await run(bin, [...args, "--json"], { cwd: folder, env: own, maxBuffer: 64e6 });
      return JSON.parse(stdout);
    };

    it("plans and exports for them, and brings neither the CPU nor its runtime", async () => {
      const { targets } = await json("targets");
      expect(targets.map(({ id }: { id: string }) => id)).toEqual(["aic100", "bm1684x"]);
      expect(readdirSync(join(folder, "node_modules"))).not.toContain("onnxruntime-node");
      expect(await json("plan", "demo", "--target", "bm1684x")).toMatchObject({ target: "bm1684x", fits: true });
      const out = join(folder, "exported");
      await json("export", "demo", "--target", "aic100", "--emulate", "--out", out);
      expect(readdirSync(out)).toEqual(expect.arrayContaining(["manifest.json", "model.onnx"]));
    });

    it("has types for all that can be imported", async () => {
      const imports = [...published()].flatMap(([name, from]) => {
        const { publishConfig } = JSON.parse(readFileSync(join(from, "package.json"), "utf8")) as Manifest;
        const paths = name === "@llm/target-cpu" ? [] : Object.keys(publishConfig!.exports);
        return paths.filter((path) => !path.endsWith(".json")).map((path) => name + path.slice(1));
      });
      expect(imports.length).toBeGreaterThan(20);
      const lines = imports.map((path, i) => `import * as _${i} from "${path}";\nvoid _${i};`);
      writeFileSync(join(folder, "all.mts"), lines.join("\n"));
      const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--skipLibCheck"];
      const types = ["--types", "node", "--typeRoots", join(root, "node_modules", "@types")];
      const tsc = run(join(root, "node_modules/.bin/tsc"), [...options, ...types, "all.mts"], { cwd: folder });
      expect(await tsc.catch(({ stdout }: { stdout: string }) => ({ stdout }))).toMatchObject({ stdout: "" });
    });
  });

  it("says in one line what it needs on an older Node, and exits with 3", async () => {
    const folder = join(home, "node-20");
    mkdirSync(folder);
    await run("npm", ["install", "--prefix", folder, "node@20"], { ...quiet, cwd: folder });
    const node = join(folder, "node_modules", ".bin", "node");
    const bin = join(installed, "node_modules", "@llm", "cli", "dist", "bin.js");
    await expect(run(node, [bin, "targets"], { env })).rejects.toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringMatching(/^llm: needs Node 24 or newer, this is v20\.[^\n]+\n$/),
    });
  }, 300_000);
});
