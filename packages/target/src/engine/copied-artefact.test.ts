import { mkdtemp, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { nullTarget } from "../null/index.ts";
import type { Target } from "../target.ts";
import { twoNets } from "../testing/two-nets.ts";
import { buildArtefact, openArtefact } from "./index.ts";

vi.mock("node:fs/promises", async (original) => ({
  ...(await original<typeof import("node:fs/promises")>()),
  link: async () => {
    throw Object.assign(new Error("EXDEV: cross-device link not permitted"), { code: "EXDEV" });
  },
}));

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "copied-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const needs = { ramBytes: 0, diskBytes: 0, cores: 1, tools: [] };

/** One unit with a file of its own and one of a checkpoint from the year 2001. */
const target: Target = {
  ...(nullTarget as Target),
  id: "test",
  units: () => [
    { id: "a", kind: "a@1", stage: "export", spec: null, weights: [], after: [], makes: ["text", "weights"], needs },
  ],
  build: async (_, work) => {
    await writeFile(join(work.folder, "text"), "made");
    await writeFile(join(work.folder, "weights"), "given");
    await utimes(join(work.folder, "weights"), 1e9, 1e9 + 0.123456);
    work.linked("weights", "checkpoint");
  },
};

const build = () =>
  buildArtefact({ ...twoNets(), target, options: {}, folder: join(root, "artefact"), cacheDir: join(root, "cache") });

it("copies where it can't link, with the times that tell linked files from changed ones", async () => {
  const { artefact } = await build();
  expect((await stat(join(artefact.folder, "a", "text"))).nlink).toBe(1);
  await openArtefact(artefact.folder, { thorough: true });
  const again = await build();
  expect(again.artefact.manifest.created).toBe(artefact.manifest.created); // nothing was touched
});

it("replaces a copy that was written to, and needn't make its unit again", async () => {
  const { artefact } = await build();
  await writeFile(join(artefact.folder, "a", "text"), "Made");
  const { units } = await build();
  expect(units[0]!.cached).toBe(true);
  expect(await readFile(join(artefact.folder, "a", "text"), "utf8")).toBe("made");
});
