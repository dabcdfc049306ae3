import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { panelCache } from "@llm/target/engine";
import {
  artefactCache,
  evaluationCache,
  hubCache,
  packedCache,
  toolCache,
  unitCache,
  verifiedCache,
} from "../places.ts";
import { REMOVED } from "./remove.ts";

/** A `partial` is a download that was broken off, or what is left of a removal that was; a `note` is what is remembered of runs. */
export type CacheKind = "model" | "partial" | "artefact" | "unit" | "panels" | "packed" | "tool" | "note";

/** Something that was kept to save work, and can be removed: it is downloaded or made again when it is wanted. */
export interface CacheEntry {
  readonly kind: CacheKind;
  /** A hub id, or the name of the folder. */
  readonly name: string;
  readonly path: string;
  /** On disk; what several entries link to counts in each. */
  readonly bytes: number;
  /** ISO 8601: when anything in it was last written. */
  readonly changed: string;
}

export interface CacheSurvey {
  readonly entries: readonly CacheEntry[];
  /** Of all together: what is linked counts once. */
  readonly bytes: number;
}

export interface CachePlaces {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The hub's cache, where it isn't where the environment says. */
  readonly cacheDir?: string;
}

/** Everything that is kept, largest first. */
export async function surveyCache({ env = process.env, cacheDir }: CachePlaces = {}): Promise<CacheSurvey> {
  const counted = new Set<string>();
  const entries: CacheEntry[] = [];
  let bytes = 0;
  const add = async (kind: CacheKind, name: string, path: string): Promise<void> => {
    const files = await filesIn(path);
    if (files.length === 0) return;
    const own = new Map(files.map((file) => [`${file.dev}.${file.ino}`, file]));
    for (const [key, file] of own) {
      if (!counted.has(key)) bytes += sizeOf(file);
      counted.add(key);
    }
    const size = [...own.values()].reduce((sum, file) => sum + sizeOf(file), 0);
    const changed = new Date(
      Math.max(...files.map(({ mtimeMs, ctimeMs }) => Math.max(mtimeMs, ctimeMs))),
    ).toISOString();
    entries.push({ kind, name, path, bytes: size, changed });
  };
  const addRemains = async (folder: string): Promise<void> => {
    const all = await readdir(folder).catch(() => []);
    for (const name of all) if (name.startsWith(REMOVED)) await add("partial", name, join(folder, name));
  };
  const hub = cacheDir ?? hubCache(env);
  await addRemains(hub);
  for (const folder of await namesIn(hub)) {
    if (!folder.startsWith("models--")) continue;
    const id = folder.slice("models--".length).replaceAll("--", "/");
    await add("model", id, join(hub, folder));
    for (const blob of await namesIn(join(hub, folder, "blobs"))) {
      if (blob.endsWith(".incomplete"))
        await add("partial", `${id} ${blob.slice(0, 8)}`, join(hub, folder, "blobs", blob));
    }
    await addRemains(join(hub, folder, "blobs"));
  }
  const ours = [
    ["artefact", artefactCache(env)],
    ["unit", unitCache(env)],
    ["panels", panelCache(env)],
    ["packed", packedCache(env)],
    ["tool", toolCache(env)],
  ] as const;
  for (const [kind, place] of ours) {
    for (const name of await namesIn(place)) await add(kind, name, join(place, name));
    await addRemains(place);
  }
  // Many small files whose names are hashes: one entry each kind of them says more.
  const notes = [verifiedCache(env), evaluationCache(env)];
  for (const place of notes) await add("note", basename(place), place);
  for (const place of new Set(notes.map(dirname))) await addRemains(place);
  return { entries: entries.sort((a, b) => b.bytes - a.bytes), bytes };
}

/** What a file takes on disk: sparse ones less than their length. */
const sizeOf = ({ blocks, size }: Stats): number => Math.min(blocks * 512, size);

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith("."));
}

async function filesIn(path: string): Promise<Stats[]> {
  const info = await lstat(path).catch(() => undefined); // gone meanwhile
  if (!info || info.isSymbolicLink()) return [];
  if (!info.isDirectory()) return [info];
  const inside = await Promise.all((await readdir(path).catch(() => [])).map((name) => filesIn(join(path, name))));
  return inside.flat();
}
