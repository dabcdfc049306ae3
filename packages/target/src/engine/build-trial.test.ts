import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { nullTarget } from "../null/index.ts";
import type { Target, Unit, Work } from "../target.ts";
import { twoNets } from "../testing/two-nets.ts";
import { type BuildEvent, buildTrial } from "./index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trial-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const unit = (id: string, more: Partial<Unit> = {}): Unit => ({
  id,
  kind: "text@1",
  stage: "export",
  spec: id,
  weights: [],
  after: [],
  makes: ["text"],
  needs: { ramBytes: 0, diskBytes: 0, cores: 1, tools: [] },
  ...more,
});

const trial = (units: readonly Unit[], build: Target["build"], onEvent?: (event: BuildEvent) => void) => {
  const target: Target = { ...(nullTarget as Target), id: "test", units: () => units, build };
  return buildTrial({ ...twoNets(), target, options: {}, folder, ...(onEvent ? { onEvent } : {}) });
};

it("puts what units made where an artefact would have it, each made in an empty folder after those it needs", async () => {
  const events: string[] = [];
  const build = async ({ id, after }: Unit, work: Work) => {
    expect(await readdir(work.folder)).toEqual([]);
    const before = await Promise.all(after.map((other) => readFile(join(work.input(other), "text"), "utf8")));
    await writeFile(join(work.folder, "text"), [id, ...before].join(" "));
    if (id === "top") await writeFile(join(work.folder, "only"), id);
  };
  const units = [unit("last", { after: ["hidden"] }), unit("hidden", { place: null }), unit("top", { place: "" })];
  const { manifest } = await trial(units, build, (event) => void events.push(event.kind));
  expect(await readFile(join(folder, "last", "text"), "utf8")).toBe("last hidden");
  expect(await readFile(join(folder, "only"), "utf8")).toBe("top");
  expect(manifest).toMatchObject({ target: "test", checkpoint: "source-1", files: [] });
  expect(manifest.units.map(({ id }) => id)).toEqual(["hidden", "last", "top"]);
  expect(events).toEqual(["planned", ...units.flatMap(() => ["started", "finished"])]);
});

it("hands on what went wrong, and says of a full disk that it is one", async () => {
  const failing = (error: Error) => trial([unit("a")], () => Promise.reject(error));
  await expect(failing(new Error("no such op"))).rejects.toThrow("no such op");
  await rm(folder, { recursive: true });
  folder = await mkdtemp(join(tmpdir(), "trial-"));
  await expect(failing(Object.assign(new Error("full"), { code: "ENOSPC" }))).rejects.toMatchObject({
    code: "disk-full",
  });
});
