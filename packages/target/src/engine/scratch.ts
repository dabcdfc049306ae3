import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { isAlive, makeFolder, processIdentity } from "@llm/tensor/files";

/** A name that says who is at work, so that what a killed process left can be told from what is in use. */
export function scratchName(): string {
  return `${hostTag()}.${processIdentity()}.${randomBytes(6).toString("hex")}`;
}

/** An empty folder to work in, below `parent`. */
export async function makeScratch(parent: string): Promise<string> {
  const folder = join(parent, scratchName());
  await makeFolder(folder);
  return folder;
}

/** Removes what processes of this machine left that are no more. `prefix` comes before the scratch name. */
export async function sweepScratch(parent: string, prefix = ""): Promise<void> {
  const names = await readdir(parent).catch(() => [] as string[]);
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const [host, owner, random] = name.slice(prefix.length).split(".");
    if (host !== hostTag() || !random || !/^\d/.test(owner ?? "") || isAlive(owner!)) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}

function hostTag(): string {
  return hostname().replaceAll(/[^a-zA-Z0-9-]/g, "-") || "host";
}
