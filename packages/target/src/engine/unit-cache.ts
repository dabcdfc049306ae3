import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "@llm/tensor/files";
import type { ManifestFile } from "../artefact.ts";
import { TargetError } from "../error.ts";
import type { Unit } from "../target.ts";
import type { UnitOutcome } from "./executor.ts";
import { filesBelow, flush, flushTree, linkIdentity, sha256File } from "./files.ts";
import { isInside } from "./order.ts";
import { makeScratch, sweepScratch } from "./scratch.ts";

const RECORD = "unit.json";

/** A finished unit: its files are in `folder`, and nothing else is. */
export interface CachedUnit {
  readonly folder: string;
  readonly files: readonly ManifestFile[];
  readonly seconds: number;
  readonly peakRssBytes: number;
  /** The most that its folder held at once while it was made, links left out. */
  readonly peakDiskBytes: number;
}

interface UnitRecord extends Omit<CachedUnit, "folder" | "peakDiskBytes"> {
  readonly id: string;
  readonly kind: string;
  readonly peakDiskBytes?: number; // absent in records from before it was measured
  readonly stamps: Readonly<Record<string, Stamp>>; // of every file
}

/** What changes when somebody writes to a file. Not its ctime, which changes too when an artefact links to it. */
interface Stamp {
  readonly mtimeMs: number;
  readonly inode: number;
}

/**
 * Finished units by key. A unit is made in a scratch folder and renamed when it is whole, so what is found is finished,
 * whoever was killed when. Of two that make the same unit at once, the first to finish wins and the other's work is dropped.
 */
export class UnitCache {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Removes what killed runs left. */
  async sweep(): Promise<void> {
    await sweepScratch(this.#work());
  }

  /** The unit with this key, if it was made and its files are still there. */
  async find(key: string): Promise<CachedUnit | undefined> {
    const home = this.#home(key);
    let record: UnitRecord;
    try {
      record = JSON.parse(await readFile(join(home, RECORD), "utf8")) as UnitRecord;
    } catch {
      return undefined; // never made, or its record is no more: made again
    }
    const folder = join(home, "files");
    for (const file of record.files)
      if (!(await isStill(join(folder, file.path), file, record.stamps?.[file.path]))) return undefined;
    const { files, seconds, peakRssBytes, peakDiskBytes = ownBytes(files) } = record;
    return { folder, files, seconds, peakRssBytes, peakDiskBytes };
  }

  /** Makes a unit by `make`, which gets an empty folder, and keeps it. */
  async make(key: string, unit: Unit, make: (folder: string) => Promise<UnitOutcome>): Promise<CachedUnit> {
    const scratch = await makeScratch(this.#work());
    try {
      const folder = join(scratch, "files");
      await mkdir(folder);
      const started = performance.now();
      const { linked, peakRssBytes, ...most } = await make(folder);
      const seconds = (performance.now() - started) / 1000;
      const files = await describeFiles(unit, folder, linked);
      const peakDiskBytes = Math.max(most.peakDiskBytes, ownBytes(files));
      const stamps = await stampFiles(folder, files);
      const record: UnitRecord = { id: unit.id, kind: unit.kind, files, stamps, seconds, peakRssBytes, peakDiskBytes };
      await writeFile(join(scratch, RECORD), JSON.stringify(record));
      await flushUnit(scratch, folder, files);
      await this.#keep(scratch, key);
      return { folder: join(this.#home(key), "files"), files, seconds, peakRssBytes, peakDiskBytes };
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #keep(scratch: string, key: string): Promise<void> {
    const home = this.#home(key);
    await makeFolder(dirname(home));
    try {
      await rename(scratch, home);
    } catch (error) {
      if (!isOccupied(error)) throw error;
      if (await this.find(key)) return; // another run was faster
      // What is there is damaged: it goes aside first, because a rename replaces only empty folders.
      const aside = await makeScratch(this.#work());
      await rename(home, join(aside, "damaged")).catch(() => undefined);
      await rm(aside, { recursive: true, force: true });
      await rename(scratch, home).catch(async (second: unknown) => {
        if (!isOccupied(second) || !(await this.find(key))) throw second;
      });
    }
    await flush(dirname(home));
  }

  #home(key: string): string {
    return join(this.root, "units", key.slice(0, 2), key);
  }

  #work(): string {
    return join(this.root, "work");
  }
}

async function describeFiles(unit: Unit, folder: string, linked: ReadonlyMap<string, string>): Promise<ManifestFile[]> {
  const there = await filesBelow(folder);
  const missing = unit.makes.filter((name) => !there.includes(name));
  if (missing.length > 0)
    throw new TargetError("unit-failed", `unit ${unit.id} was to make ${missing.join(", ")} and didn't`);
  const files: ManifestFile[] = [];
  for (const path of there) {
    if (!isInside(path)) throw new TargetError("unit-failed", `unit ${unit.id} made a file with an impossible name`);
    const { size } = await stat(join(folder, path));
    const full = join(folder, path);
    if (linked.has(path)) files.push({ path, bytes: size, link: await linkIdentity(full) });
    else files.push({ path, bytes: size, sha256: await sha256File(full) });
  }
  return files;
}

/** Linked files are the checkpoint's own and on the disk already. */
async function flushUnit(scratch: string, folder: string, files: readonly ManifestFile[]): Promise<void> {
  await flushTree(
    folder,
    files.filter((file) => "sha256" in file).map(({ path }) => path),
  );
  await flush(join(scratch, RECORD));
  await flush(scratch);
}

function ownBytes(files: readonly ManifestFile[]): number {
  return files.reduce((sum, file) => sum + ("link" in file ? 0 : file.bytes), 0);
}

async function stampFiles(folder: string, files: readonly ManifestFile[]): Promise<UnitRecord["stamps"]> {
  const stamps: Record<string, Stamp> = {};
  for (const { path } of files) {
    const { mtimeMs, ino } = await stat(join(folder, path));
    stamps[path] = { mtimeMs, inode: ino };
  }
  return stamps;
}

/**
 * Artefacts are links to these files, so that writing to one of theirs writes to one of these. Only a file that was touched
 * or moved is hashed: it may have come from a backup and be as good as before.
 */
async function isStill(path: string, file: ManifestFile, stamp: Stamp | undefined): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found || found.size !== file.bytes) return false;
  if ("link" in file) return found.mtimeMs === file.link.mtimeMs;
  if (found.mtimeMs === stamp?.mtimeMs && found.ino === stamp.inode) return true;
  return (await sha256File(path)) === file.sha256;
}

function isOccupied(error: unknown): boolean {
  return ["ENOTEMPTY", "EEXIST", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "");
}
