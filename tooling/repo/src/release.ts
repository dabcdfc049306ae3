/**
 * `pnpm release`: builds everything anew, packs every published package into `release/`, and checks what was packed. Nothing is
 * published: CONTRIBUTING.md says how. Exits 1 where anything is missing, an addon among it.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packProblems, staleFiles } from "./packed.ts";
import { type Package, root, workspacePackages } from "./workspace.ts";

/** What the package of the addon has to bring. */
const BINARIES = ["linux-x64", "linux-arm64"].map((platform) => `prebuilds/${platform}/llm_native.node`);
const ADDON = "@llm/runtime-native";

const out = join(root, "release");
const packages = workspacePackages();
const published = packages.filter(({ manifest }) => !manifest.private);

for (const folder of [out, ...packages.map(({ dir }) => join(root, dir, "dist"))])
  rmSync(folder, { recursive: true, force: true });
const { dir: addon } = packages.find(({ manifest }) => manifest.name === ADDON)!;
for (const made of ["build", "build-arm64", "prebuilds"])
  rmSync(join(root, addon, made), { recursive: true, force: true });
mkdirSync(out);

// Not from a cache: it may hold what the compiler made of sources that are gone.
run(root, "pnpm", "run", "build", "--force");
run(join(root, addon), "pnpm", "build:arm64");
run(join(root, addon), "pnpm", "try:arm64");

const problems = published.flatMap((pkg) => {
  const files = pack(pkg);
  const wanted = pkg.manifest.name === ADDON ? BINARIES : [];
  return [
    ...packProblems(pkg, files),
    ...staleFiles(pkg, files).map((file) => `${pkg.dir}: ${file} is of a source that is gone`),
    ...wanted.filter((file) => !files.includes(file)).map((file) => `${pkg.dir}: ${file} is not in the package`),
  ];
});
for (const problem of problems) console.error(problem);
if (problems.length === 0) {
  const { version } = JSON.parse(readFileSync(join(root, published[0]!.dir, "package.json"), "utf8"));
  // The commit that changes this file is the release: changes are counted from it.
  writeFileSync(join(root, ".changeset/released"), `${version}\n`);
  console.log(`${published.length} packages of ${version} are in ${out}; .changeset/released says so`);
}
process.exitCode = problems.length > 0 ? 1 : 0;

/** Packs a package, its scripts included, and gives what is in it. */
function pack({ dir }: Package): string[] {
  const args = ["pack", "--json", "--pack-destination", out];
  const said = spawnSync("pnpm", args, {
    cwd: join(root, dir),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (said.status !== 0) throw new Error(`${dir} can't be packed`);
  const { files } = JSON.parse(said.stdout.slice(said.stdout.indexOf("{\n")));
  return files.map(({ path }: { path: string }) => path);
}

function run(cwd: string, command: string, ...args: string[]): void {
  const { status } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
}
