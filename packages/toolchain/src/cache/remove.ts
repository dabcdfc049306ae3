import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ToolchainError } from "../error.ts";
import type { CacheEntry } from "./survey.ts";

export interface CacheChoice {
  /** By name: a hub id, an artefact. */
  readonly names?: readonly string[];
  /** What nothing was written to for so many days. */
  readonly olderThanDays?: number;
  /** Downloads that were broken off, and what is left of removals that were. */
  readonly partial?: boolean;
}

/** How the names begin of what was moved aside to be removed; a killed process leaves it. */
export const REMOVED = ".removed-";

const DAY_MS = 24 * 3600 * 1000;

/** The entries that a choice means. A name that is none of them is an error: it was mistyped. */
export function chooseEntries(
  entries: readonly CacheEntry[],
  choice: CacheChoice,
  now: number = Date.now(),
): CacheEntry[] {
  const { names = [], olderThanDays, partial } = choice;
  const unknown = names.find((name) => !entries.some((entry) => entry.name === name));
  if (unknown !== undefined)
    throw new ToolchainError(
      "option-invalid",
      `the cache holds nothing named ${unknown}; \`llm cache\` lists what it holds`,
    );
  const old = (entry: CacheEntry) =>
    olderThanDays !== undefined && now - Date.parse(entry.changed) > olderThanDays * DAY_MS;
  return entries.filter((entry) => names.includes(entry.name) || old(entry) || (partial && entry.kind === "partial"));
}

/** Removes entries: each is moved aside first, so that nobody finds half of it. */
export async function removeEntries(entries: readonly CacheEntry[]): Promise<void> {
  for (const { path } of entries) {
    const aside = join(dirname(path), `${REMOVED}${process.pid}-${Date.now()}`);
    try {
      await rename(path, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue; // inside another that is gone already
      throw error;
    }
    await rm(aside, { recursive: true, force: true });
  }
}
