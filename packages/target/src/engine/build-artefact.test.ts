import { spawn } from "node:child_process";
import { once } from "node:events";
import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nullTarget } from "../null/index.ts";
import type { Target, Unit, Work } from "../target.ts";
import { twoNets } from "../testing/two-nets.ts";
import { type BuildEvent, type BuildRequest, buildArtefact, openArtefact } from "./index.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "engine-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const needs = { ramBytes: 0, diskBytes: 0, cores: 1, tools: [] };

function unit(id: string, more: Partial<Unit> = {}): Unit {
  return { id, kind: "text@1", stage: "export", spec: id, weights: [], after: [], makes: ["text"], needs, ...more };
}

/** A target of given units, each made by writing its spec, or by `build`. */
function targetOf(units: readonly Unit[], build?: (unit: Unit, work: Work) => Promise<void>): Target {
  const write = (made: Unit, work: Work): Promise<void> => writeFile(join(work.folder, "text"), String(made.spec));
  return { ...(nullTarget as Target), id: "test", units: () => units, build: build ?? write };
}

function request(target: Target, more: Partial<BuildRequest<unknown>> = {}): BuildRequest<unknown> {
  return { ...twoNets(), target, options: {}, folder: join(root, "artefact"), cacheDir: join(root, "cache"), ...more };
}

/** Waits until the file system's clock says something later than when `file` was written, which may take two seconds. */
async function tick(file: string): Promise<void> {
  const { mtimeMs } = await stat(file);
  const probe = join(root, "tick");
  do {
    await setTimeout(5);
    await writeFile(probe, "");
  } while ((await stat(probe)).mtimeMs <= mtimeMs);
  await rm(probe);
}

describe("buildArtefact", () => {
  it("makes every unit once, and nothing the second time", async () => {
    const events: BuildEvent[] = [];
    const target = targetOf([unit("b", { after: ["a"] }), unit("a", { place: null })]);
    const first = await buildArtefact(request(target));
    const second = await buildArtefact(request(target, { onEvent: (event) => void events.push(event) }));
    expect(first.units.map(({ id, cached }) => [id, cached])).toEqual([
      ["a", false],
      ["b", false],
    ]);
    expect(second.units.every(({ cached }) => cached)).toBe(true);
    expect(events[0]).toEqual({ kind: "planned", units: 2, cached: 2 });
    expect(first.artefact.manifest.files.map(({ path }) => path)).toEqual(["b/text"]);
    expect(second.artefact.manifest.created).toBe(first.artefact.manifest.created); // nothing was touched
    expect(await readdir(root)).toEqual(["artefact", "cache"]);
  });

  it("says the most that a unit had on the disk: what it was told of, or what is there in the end", async () => {
    const target = targetOf([unit("told"), unit("kept")], async (made, work) => {
      if (made.id === "told") work.measured(1, 5000);
      await writeFile(join(work.folder, "text"), "12345678");
    });
    const disk = (units: readonly { readonly id: string; readonly peakDiskBytes?: number }[]) =>
      Object.fromEntries(units.map(({ id, peakDiskBytes }) => [id, peakDiskBytes]));
    const { artefact, units } = await buildArtefact(request(target));
    expect(disk(units)).toEqual({ told: 5000, kept: 8 });
    expect(disk(artefact.manifest.units)).toEqual({ told: 5000, kept: 8 });
    const again = await buildArtefact(request(target));
    expect(disk(again.units)).toEqual({ told: 5000, kept: 8 });
  });

  it("runs side by side only what fits together", async () => {
    let running = 0;
    let most = 0;
    const units = Array.from({ length: 6 }, (_, i) => unit(`u${i}`, { needs: { ...needs, ramBytes: 40 } }));
    const target = targetOf(units, async (made, work) => {
      most = Math.max(most, ++running);
      await setTimeout(5);
      await writeFile(join(work.folder, "text"), made.id);
      running--;
    });
    await buildArtefact(request(target, { capacity: { cores: 8, ramBytes: 100 } }));
    expect(most).toBe(2);
    await rm(root, { recursive: true });
    most = 0;
    await buildArtefact(request(target, { capacity: { cores: 1, ramBytes: 10 } })); // more than there is: alone
    expect(most).toBe(1);
  });

  it("tries again what may not have been the unit's fault, and says so", async () => {
    let failures = 2;
    const events: string[] = [];
    const target = targetOf([unit("a")], async (made, work) => {
      if (failures-- > 0) throw new Error("the worker went away\nwith a long story");
      await writeFile(join(work.folder, "text"), made.id);
    });
    await expect(buildArtefact(request(target, { retries: 1 }))).rejects.toThrow(/^unit a: the worker went away$/);
    failures = 1;
    await buildArtefact(request(target, { retries: 1, onEvent: ({ kind }) => void events.push(kind) }));
    expect(events).toContain("retrying");
  });

  it("stops at once when it is told to, and leaves nothing half done", async () => {
    const stop = new AbortController();
    const target = targetOf([unit("a"), unit("b", { after: ["a"] })], async (made, work) => {
      await writeFile(join(work.folder, "text"), made.id);
      stop.abort();
    });
    await expect(buildArtefact(request(target, { signal: stop.signal }))).rejects.toThrow(/abort/i);
    expect(await readdir(root)).toEqual(["cache"]);
    expect(await readdir(join(root, "cache", "work"))).toEqual([]);
  });

  it("says in one line that the disk is full", async () => {
    const target = targetOf([unit("a")], async () => {
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    });
    await expect(buildArtefact(request(target, { retries: 5 }))).rejects.toMatchObject({ code: "disk-full" });
    const huge = targetOf([unit("a", { needs: { ...needs, diskBytes: 1e18 } })]);
    await expect(buildArtefact(request(huge))).rejects.toThrow(/unit a needs 1000000000.0 GB/);
  });

  it("takes nothing from under whoever reads it, when others finish the same a moment later", async () => {
    const many = Array.from({ length: 12 }, (_, i) => unit(`u${i}`));
    for (let round = 0; round < 8; round++) {
      const folder = join(root, `artefact-${round}`);
      const target = targetOf(many);
      const seen: number[] = [];
      const runs = [1, 2, 3, 4].map(async () => {
        const { artefact } = await buildArtefact(request(target, { folder }));
        seen.push((await stat(artefact.folder)).ino);
      });
      await Promise.all(runs);
      expect(new Set(seen).size).toBe(1);
      await openArtefact(folder, { thorough: true });
    }
  });

  it("is right when two run at once", async () => {
    const target = targetOf(
      [unit("a", { place: null }), unit("b", { after: ["a"] }), unit("c")],
      async (made, work) => {
        await setTimeout(Math.random() * 4);
        await writeFile(join(work.folder, "text"), made.id);
      },
    );
    for (let round = 0; round < 5; round++) {
      await rm(join(root, "cache"), { recursive: true, force: true });
      const runs = await Promise.all([1, 2, 3].map(() => buildArtefact(request(target))));
      for (const { artefact } of runs) expect(artefact.manifest.files).toHaveLength(2);
      await openArtefact(join(root, "artefact"), { thorough: true });
    }
    expect(await readdir(join(root, "cache", "work"))).toEqual([]);
    expect(await readdir(root)).toEqual(["artefact", "cache"]);
  });

  it("goes on after a kill where it was", async () => {
    const script = fileURLToPath(new URL("../testing/build-slowly.ts", import.meta.url));
    const child = spawn(process.execPath, [script, root], { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of child.stdout) if (String(line).includes("working on u3")) break;
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await readdir(root)).not.toContain("artefact");
    expect((await readdir(join(root, "cache", "work"))).length).toBeGreaterThan(0); // what was under way
    const again = spawn(process.execPath, [script, root], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    for await (const line of again.stdout) said += String(line);
    expect(said).toMatch(/cached [2-5] of 6/);
    await openArtefact(join(root, "artefact"), { thorough: true });
    expect(await readdir(join(root, "cache", "work"))).toEqual([]);
  });

  it("makes a unit again whose cached files were damaged", async () => {
    const target = targetOf([unit("a")]);
    const { artefact } = await buildArtefact(request(target));
    const key = artefact.manifest.units[0]!.key;
    await rm(join(root, "cache", "units", key.slice(0, 2), key, "files", "text"));
    const { units } = await buildArtefact(request(target));
    expect(units[0]!.cached).toBe(false);
    await openArtefact(artefact.folder, { thorough: true });
  });

  it("makes a unit again that was written to through an artefact, and spreads nothing of it", async () => {
    const target = targetOf([unit("a"), unit("b")]);
    const { artefact } = await buildArtefact(request(target));
    await tick(join(artefact.folder, "a", "text"));
    await writeFile(join(artefact.folder, "a", "text"), "x"); // as long as before
    const elsewhere = await buildArtefact(request(target, { folder: join(root, "elsewhere") }));
    expect(elsewhere.units.map(({ id, cached }) => [id, cached])).toEqual([
      ["a", false],
      ["b", true],
    ]);
    await openArtefact(elsewhere.artefact.folder, { thorough: true });
    await expect(openArtefact(artefact.folder, { thorough: true })).rejects.toMatchObject({ code: "artefact-damaged" });
    await buildArtefact(request(target));
    expect(await readFile(join(artefact.folder, "a", "text"), "utf8")).toBe("a");
    await openArtefact(artefact.folder, { thorough: true });
  });

  it("keeps a cached unit that came back from a backup with other times", async () => {
    const target = targetOf([unit("a")]);
    const { artefact } = await buildArtefact(request(target));
    await utimes(join(artefact.folder, "a", "text"), new Date(0), new Date(0));
    const { units } = await buildArtefact(request(target));
    expect(units[0]!.cached).toBe(true);
  });

  it.each(['{"name":"My PWA"}', "not even JSON", "null", '{"schemaVersion":1,"target":"es2022"}'])(
    "leaves a folder alone that has somebody else's manifest.json: %s",
    async (manifest) => {
      const folder = join(root, "artefact");
      await mkdir(folder);
      await writeFile(join(folder, "manifest.json"), manifest);
      await writeFile(join(folder, "thesis.txt"), "years of work");
      await expect(buildArtefact(request(targetOf([unit("a")])))).rejects.toMatchObject({ code: "folder-occupied" });
      expect((await readdir(folder)).sort()).toEqual(["manifest.json", "thesis.txt"]);
      expect(await readFile(join(folder, "manifest.json"), "utf8")).toBe(manifest);
      expect(await readFile(join(folder, "thesis.txt"), "utf8")).toBe("years of work");
    },
  );

  it("replaces an artefact whose manifest is incomplete", async () => {
    const target = targetOf([unit("a")]);
    const { artefact } = await buildArtefact(request(target));
    const { files: _, ...rest } = artefact.manifest;
    await writeFile(join(artefact.folder, "manifest.json"), JSON.stringify(rest));
    await buildArtefact(request(target));
    await openArtefact(artefact.folder, { thorough: true });
  });

  it("replaces an older artefact, and never anything else", async () => {
    const folder = join(root, "artefact");
    await buildArtefact(request(targetOf([unit("a")])));
    await buildArtefact(request(targetOf([unit("a", { spec: "new" })])));
    expect(await readFile(join(folder, "a", "text"), "utf8")).toBe("new");
    await rm(folder, { recursive: true });
    await mkdir(folder);
    await writeFile(join(folder, "thesis.tex"), "years of work");
    await expect(buildArtefact(request(targetOf([unit("a")])))).rejects.toMatchObject({ code: "folder-occupied" });
    expect(await readFile(join(folder, "thesis.tex"), "utf8")).toBe("years of work");
  });

  it.each([
    ["two units are called a", [unit("a"), unit("a")]],
    ["unit a waits for itself", [unit("a", { after: ["b"] }), unit("b", { after: ["a"] })]],
    ["comes after c, which doesn't exist", [unit("a", { after: ["c"] })]],
    ["is no path inside its folder", [unit("a", { makes: ["../text"] })]],
    ["both put a file at x/text", [unit("a", { place: "x" }), unit("b", { place: "x" })]],
    ["was to make other and didn't", [unit("a", { makes: ["other"] })]],
  ])("refuses units that make no sense: %s", async (message, units) => {
    await expect(buildArtefact(request(targetOf(units)))).rejects.toThrow(message);
  });
});

describe("openArtefact", () => {
  const linking = (origin: string): Target =>
    targetOf([unit("a", { makes: ["text", "w.safetensors"] })], async (made, work) => {
      await writeFile(join(work.folder, "text"), String(made.spec));
      await link(origin, join(work.folder, "w.safetensors"));
      work.linked("w.safetensors", origin);
    });

  it("knows linked files by identity and written ones by content", async () => {
    const origin = join(root, "checkpoint");
    await writeFile(origin, "weights");
    const { artefact } = await buildArtefact(request(linking(origin)));
    const [text, weights] = artefact.manifest.files;
    expect(text).toMatchObject({ path: "a/text", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(weights).toMatchObject({ link: { size: 7, inode: (await stat(origin)).ino } });
    expect((await stat(join(artefact.folder, "a", "w.safetensors"))).ino).toBe((await stat(origin)).ino);
    await openArtefact(artefact.folder);

    await writeFile(origin, "Weights");
    await utimes(origin, new Date(), new Date(Date.now() + 60_000));
    await expect(openArtefact(artefact.folder)).rejects.toMatchObject({ code: "artefact-changed" });
  });

  it.each([
    ["artefact-missing", async (folder: string) => rm(folder, { recursive: true })],
    ["artefact-missing", async (folder: string) => rm(join(folder, "manifest.json"))],
    ["artefact-invalid", async (folder: string) => writeFile(join(folder, "manifest.json"), "{")],
    ["artefact-invalid", async (folder: string) => writeFile(join(folder, "manifest.json"), "[]")],
    ["artefact-invalid", (folder: string) => edit(folder, (m) => delete m.files)],
    ["artefact-invalid", (folder: string) => edit(folder, (m) => (m.files = [{ path: "../x", bytes: 1, sha256: "" }]))],
    ["artefact-newer", (folder: string) => edit(folder, (m) => (m.schemaVersion = 2))],
    ["artefact-damaged", async (folder: string) => rm(join(folder, "a", "text"))],
    ["artefact-damaged", async (folder: string) => writeFile(join(folder, "a", "text"), "longer than before")],
    ["artefact-damaged", async (folder: string) => writeFile(join(folder, "a", "text"), "b")],
  ])("says %s of what was spoiled (%#)", async (code, spoil) => {
    const { artefact } = await buildArtefact(request(targetOf([unit("a")])));
    await spoil(artefact.folder);
    const opening = openArtefact(artefact.folder, { thorough: true });
    await expect(opening).rejects.toMatchObject({ code });
    await expect(opening).rejects.not.toThrow(/\n/);
  });

  async function edit(folder: string, change: (manifest: Record<string, unknown>) => unknown): Promise<void> {
    const path = join(folder, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    change(manifest);
    await writeFile(path, JSON.stringify(manifest));
  }
});
