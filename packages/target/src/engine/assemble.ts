import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { makeFolder } from "@llm/tensor/files";
import type { Artefact, Manifest, ManifestFile } from "../artefact.ts";
import { TargetError } from "../error.ts";
import type { Unit } from "../target.ts";
import type { BuildRequest } from "./build-artefact.ts";
import type { BuildEvent } from "./events.ts";
import { explainDisk, flush, flushTree, linkOrCopy, sha256File } from "./files.ts";
import { MANIFEST, readManifest, wasArtefact } from "./manifest.ts";
import { manifestOf } from "./manifest-of.ts";
import { placeOf } from "./order.ts";
import { scratchName, sweepScratch } from "./scratch.ts";
import type { CachedUnit } from "./unit-cache.ts";

interface Assembly<O> {
  readonly request: BuildRequest<O>;
  readonly folder: string;
  readonly ordered: readonly Unit[];
  readonly keys: ReadonlyMap<string, string>;
  readonly finished: ReadonlyMap<string, CachedUnit>;
  readonly onEvent: (event: BuildEvent) => void;
}

/** Puts finished units into a folder under a temporary name and gives it its own when the manifest is complete. */
export async function assemble<O>(assembly: Assembly<O>): Promise<Artefact> {
  const { folder } = assembly;
  const contents = gather(assembly);
  const manifest = describe(assembly, contents);
  const alike = async (): Promise<Manifest | undefined> => {
    const existing = await occupant(folder);
    return existing && sameContent(existing, manifest) && (await isComplete(folder, contents)) ? existing : undefined;
  };
  const existing = await alike();
  if (existing) return { folder, manifest: existing };

  const parent = dirname(folder);
  const prefix = `.${basename(folder)}.`;
  await makeFolder(parent);
  await sweepScratch(parent, prefix);
  const scratch = join(parent, prefix + scratchName());
  try {
    await makeRoom(scratch, folder);
    for (const { from, file } of contents) {
      const how = await linkOrCopy(from, join(scratch, file.path));
      if (how === "copy") assembly.onEvent({ kind: "copied", file: file.path, bytes: file.bytes });
    }
    await writeFile(join(scratch, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
    await flushTree(scratch, [MANIFEST]);
    const theirs = await replace(scratch, folder, prefix, alike);
    if (theirs) return { folder, manifest: theirs };
    await flush(parent);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return { folder, manifest };
}

async function makeRoom(scratch: string, folder: string): Promise<void> {
  await mkdir(scratch).catch((error: NodeJS.ErrnoException) => {
    if (explainDisk(error, folder) !== error) throw error;
    throw new TargetError("write-failed", `${folder} can't be written (${error.code}); choose another folder`, {
      cause: error,
    });
  });
}

interface Content {
  readonly from: string;
  readonly file: ManifestFile;
}

function gather<O>({ ordered, finished }: Assembly<O>): readonly Content[] {
  const byPath = new Map<string, Content>();
  for (const unit of ordered) {
    const place = placeOf(unit);
    if (place === undefined) continue;
    const { folder, files } = finished.get(unit.id)!;
    for (const file of files) {
      const path = place === "" ? file.path : `${place}/${file.path}`;
      const before = byPath.get(path);
      if (before && identity(before.file) !== identity(file))
        throw new TargetError("unit-invalid", `unit ${unit.id} and another one both put a file at ${path}`);
      byPath.set(path, { from: join(folder, file.path), file: { ...file, path } });
    }
  }
  return [...byPath.values()].sort((a, b) => (a.file.path < b.file.path ? -1 : 1));
}

function describe<O>({ request, ordered, keys, finished }: Assembly<O>, contents: readonly Content[]): Manifest {
  return manifestOf(request, {
    units: ordered.map(({ id }) => {
      const { seconds, peakRssBytes, peakDiskBytes } = finished.get(id)!;
      return { id, key: keys.get(id)!, seconds, peakRssBytes, peakDiskBytes };
    }),
    files: contents.map(({ file }) => file),
  });
}

/** The manifest of what is at the artefact's place; undefined when nothing is. Anything but an artefact is left alone. */
async function occupant(folder: string): Promise<Manifest | undefined> {
  const found = await stat(folder).catch(() => undefined);
  if (!found) return undefined;
  try {
    if (found.isDirectory() && (await readdir(folder)).length === 0) return undefined;
    return await readManifest(folder);
  } catch (error) {
    const now = await stat(folder).catch(() => undefined);
    if (now?.ino !== found.ino) return occupant(folder); // another run put its own there while this one looked
    const invalid = TargetError.isInstance(error) && error.code === "artefact-invalid";
    if (invalid && (await wasArtefact(folder))) return undefined; // ours, but broken: replaced
    throw new TargetError(
      "folder-occupied",
      `${folder} holds something else than an artefact; choose another folder or remove it`,
      {
        cause: error,
      },
    );
  }
}

/** Two manifests that differ only in when they were made. */
function sameContent(a: Manifest, b: Manifest): boolean {
  const content = ({ target, model, options, checkpoint, units, files }: Manifest): string =>
    JSON.stringify([target, model, options, checkpoint, units.map(({ id, key }) => [id, key]), files.map(identity)]);
  return content(a) === content(b);
}

/** Links to what the units made are as good as that is; copies of it are hashed, and copies of checkpoints keep its time. */
async function isComplete(folder: string, contents: readonly Content[]): Promise<boolean> {
  for (const { from, file } of contents) {
    const path = join(folder, file.path);
    const [found, made] = await Promise.all([stat(path).catch(() => undefined), stat(from)]);
    if (found?.size !== file.bytes) return false;
    if (found.ino === made.ino && found.dev === made.dev) continue;
    const same =
      "sha256" in file ? (await sha256File(path)) === file.sha256 : Math.abs(found.mtimeMs - made.mtimeMs) < 1;
    if (!same) return false;
  }
  return true;
}

function identity(file: ManifestFile): string {
  return "sha256" in file ? file.sha256 : `${file.bytes}:${file.link.headerSha256}:${file.link.mtimeMs}`;
}

/**
 * A rename replaces no folder that holds something, so the old one steps aside first; whoever comes between wins. Who finished
 * the very same meanwhile has won, too: somebody may be reading it already.
 */
async function replace(
  scratch: string,
  folder: string,
  prefix: string,
  alike: () => Promise<Manifest | undefined>,
): Promise<Manifest | undefined> {
  for (let attempt = 0; ; attempt++) {
    try {
      await rename(scratch, folder);
      return undefined;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (attempt === 8 || (code !== "ENOTEMPTY" && code !== "EEXIST")) throw error;
    }
    const theirs = await alike();
    if (theirs) return theirs;
    const aside = join(dirname(folder), prefix + scratchName());
    await rename(folder, aside).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error; // another run moved it first
    });
    await rm(aside, { recursive: true, force: true });
  }
}
