import { randomUUID } from "node:crypto";
import { copyFile, lstat, readdir, readFile, readlink, rename, stat, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { makeFolder } from "@llm/tensor/files";

/** One repository in the hub's cache, laid out as Python's huggingface_hub does, so that both find each other's downloads. */
export class RepoCache {
  readonly root: string;

  constructor(cacheDir: string, repo: string) {
    this.root = join(cacheDir, `models--${repo.replaceAll("/", "--")}`);
  }

  blob(etag: string): string {
    return join(this.root, "blobs", etag);
  }

  snapshot(commit: string): string {
    return join(this.root, "snapshots", commit);
  }

  /** Remembers which commit a branch or tag was at. */
  async setRef(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    await writeWhole(join(this.root, "refs", revision), commit);
  }

  /** The commit that a revision was at when it was last looked up. */
  async ref(revision: string): Promise<string | undefined> {
    const text = await readFile(join(this.root, "refs", revision), "utf8").catch(() => "");
    return /^[\w-]+$/.test(text.trim()) ? text.trim() : undefined;
  }

  /** Puts a blob into a snapshot: a relative link, so that the cache can be moved; a copy where there are no links. */
  async link(commit: string, path: string, etag: string): Promise<void> {
    const from = join(this.snapshot(commit), path);
    const target = relative(dirname(from), this.blob(etag));
    if ((await readlink(from).catch(() => undefined)) === target) return;
    await makeFolder(dirname(from));
    const temporary = temporaryName(from);
    try {
      await symlink(target, temporary);
    } catch (error) {
      if (!["EPERM", "ENOSYS", "ENOTSUP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      await copyFile(this.blob(etag), temporary);
    }
    await rename(temporary, from);
  }

  /** The size of a file in a snapshot whose blob is there. */
  async sizeOf(commit: string, path: string): Promise<number | undefined> {
    return (await stat(join(this.snapshot(commit), path)).catch(() => undefined))?.size;
  }

  /** The name of the blob behind a snapshot's link; undefined for a copy. */
  async etagOf(commit: string, path: string): Promise<string | undefined> {
    const target = await readlink(join(this.snapshot(commit), path)).catch(() => undefined);
    return target === undefined ? undefined : basename(target);
  }

  /** Names of the files in a snapshot whose blobs are there, sorted. */
  async files(commit: string): Promise<string[]> {
    const folder = this.snapshot(commit);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const paths = entries.map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
    const sizes = await Promise.all(
      entries.map((entry, i) => (entry.isDirectory() ? undefined : this.sizeOf(commit, paths[i]!))),
    );
    return paths.filter((_, i) => sizes[i] !== undefined).sort();
  }

  async has(commit: string): Promise<boolean> {
    return (await lstat(this.snapshot(commit)).catch(() => undefined))?.isDirectory() ?? false;
  }
}

/** A small file that is there whole or not at all. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await makeFolder(dirname(path));
  const temporary = temporaryName(path);
  await writeFile(temporary, text);
  await rename(temporary, path);
}

/** Beside the final name, and nobody else's. */
function temporaryName(path: string): string {
  return `${path}.${randomUUID()}.tmp`;
}
