import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { CheckpointError } from "../error.ts";
import { RepoCache } from "./cache.ts";
import { cachedOnly, cachedWhole, fileToOpen } from "./cached.ts";
import { download } from "./download.ts";
import { type HubRequest, PATIENCE, type Patience } from "./http.ts";
import { withProxy } from "./proxy.ts";
import { checkRepo, checkRevision, fileFacts, isCommit, listRepo, type RepoFile, type RepoListing } from "./repo.ts";
import { isSmall, type Selection, selectFiles } from "./select.ts";
import { type HubOptions, hubSettings } from "./settings.ts";

export interface PullOptions extends HubOptions, Selection {
  /** A branch, tag or commit. Default: main. */
  readonly revision?: string;
  /** How many files at once. Default: 4. */
  readonly parallel?: number;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly signal?: AbortSignal;
  readonly patience?: Partial<Patience>;
  /** False: files come without hashes where that saves reading them. */
  readonly hashes?: boolean;
}

/** All files together, for one bar. */
export interface PullProgress {
  readonly bytes: number;
  readonly totalBytes: number;
  readonly files: number; // finished
  readonly totalFiles: number;
}

export interface Pulled {
  /** The snapshot's folder. */
  readonly folder: string;
  /** What `openCheckpoint` opens: the folder, or the GGUF file in it that was asked for. */
  readonly model: string;
  readonly commit: string;
  readonly files: readonly PulledFile[];
  /** How many bytes of files came over the network. */
  readonly downloaded: number;
  /** What to tell whoever waits: that the hub didn't answer, and what was done about it. */
  readonly note?: string;
}

export interface PulledFile {
  readonly path: string; // in the folder
  readonly bytes: number;
  readonly sha256?: string;
}

/**
 * Brings what is needed of a repository into the hub's cache and says where it is. What is there is not fetched again, what is
 * there in part is continued; offline, what is there is all there is.
 *
 * @example
 * const { model } = await pull("bigcode/tiny_starcoder_py", { onProgress: ({ bytes, totalBytes }) => … });
 * const checkpoint = await openCheckpoint(model);
 */
export async function pull(repo: string, options: PullOptions = {}): Promise<Pulled> {
  const settings = await hubSettings(options);
  const revision = checkRevision(options.revision ?? "main");
  const cache = new RepoCache(settings.cacheDir, checkRepo(repo));
  if (settings.offline) {
    const { commit, paths } = await cachedOnly(cache, repo, revision, options);
    return found(cache, commit, paths, options);
  }
  // What a commit is never changes: nobody has to be asked.
  const known = isCommit(revision) ? await cachedWhole(cache, repo, revision, options) : undefined;
  if (known) return found(cache, revision, known, options);
  const hub: HubRequest = { settings, patience: { ...PATIENCE, ...options.patience }, signal: options.signal };
  return withProxy(options.env ?? process.env, settings.endpoint, () => fromHub(hub, cache, repo, revision, options));
}

async function fromHub(
  hub: HubRequest,
  cache: RepoCache,
  repo: string,
  revision: string,
  options: PullOptions,
): Promise<Pulled> {
  let listing: RepoListing;
  try {
    listing = await listRepo(hub, repo, revision);
  } catch (error) {
    const commit = await cache.ref(revision);
    if (!CheckpointError.isInstance(error) || error.code !== "hub-failed" || commit === undefined) throw error;
    const paths = await cachedWhole(cache, repo, commit, options);
    if (!paths && (await cache.has(commit))) throw withHint(error);
    if (!paths) throw error;
    return {
      ...(await found(cache, commit, paths, options)),
      note: `${error.message}; going on with what is in the cache`,
    };
  }
  const { commit, files } = listing;
  const { parallel = 4, signal: outer } = options;
  const wanted = await inParallel(selectFiles(repo, files, options), parallel, outer, (file, signal) =>
    fileFacts({ ...hub, signal }, repo, commit, file),
  );
  const progress = new Progress(wanted, options.onProgress);
  const etagOf = (file: RepoFile) =>
    file.etag ?? createHash("sha256").update(`${commit} ${file.path}`).digest("base64url");
  const came = await inParallel(wanted, parallel, outer, async (file, signal) => {
    const onBytes = (bytes: number) => progress.report(file, bytes);
    const bytes = await download({ ...hub, signal, repo, commit, file, blob: cache.blob(etagOf(file)), onBytes });
    if (isSmall(file.path)) await cache.link(commit, file.path, etagOf(file));
    progress.finish();
    return bytes;
  });
  // Weights get their names when all is there: a snapshot of ours that has them has everything around them.
  for (const file of wanted) await cache.link(commit, file.path, etagOf(file));
  await cache.setRef(revision, commit);
  const paths = wanted.map(({ path }) => path);
  return { ...(await found(cache, commit, paths, options)), downloaded: came.reduce((sum, bytes) => sum + bytes, 0) };
}

function withHint(error: CheckpointError): CheckpointError {
  return new CheckpointError("hub-failed", `${error.message}; what was fetched before can be used with --offline`, {
    cause: error,
  });
}

/** Files of the cache as the answer to a pull. */
async function found(
  cache: RepoCache,
  commit: string,
  paths: readonly string[],
  { hashes = true, gguf, signal }: PullOptions,
): Promise<Pulled> {
  const folder = cache.snapshot(commit);
  const files = await inParallel(paths, 4, signal, (path) => describe(cache, commit, path, hashes));
  const file = fileToOpen(paths, gguf !== undefined);
  return { folder, model: file === undefined ? folder : join(folder, file), commit, files, downloaded: 0 };
}

async function describe(cache: RepoCache, commit: string, path: string, hashed: boolean): Promise<PulledFile> {
  const bytes = (await cache.sizeOf(commit, path)) ?? 0;
  const etag = await cache.etagOf(commit, path);
  // Large files are stored under their hash, which was checked when they came.
  if (etag !== undefined && /^[0-9a-f]{64}$/.test(etag)) return { path, bytes, sha256: etag };
  if (!hashed) return { path, bytes };
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(join(cache.snapshot(commit), path))) hash.update(chunk);
  return { path, bytes, sha256: hash.digest("hex") };
}

/** Runs `work` for each item, so many at a time; the first failure aborts the rest, whose partial files stay. */
async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  outer: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const controller = new AbortController();
  const signal = outer ? AbortSignal.any([outer, controller.signal]) : controller.signal;
  const results: R[] = new Array(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      signal.throwIfAborted();
      const i = next++;
      results[i] = await work(items[i]!, signal);
    }
  };
  let failure: { readonly error: unknown } | undefined;
  const guarded = (): Promise<void> =>
    lane().catch((error) => {
      failure ??= { error };
      controller.abort(error);
    });
  await Promise.all(Array.from({ length: Math.max(1, limit) }, guarded));
  if (failure) throw failure.error;
  return results;
}

/** Adds the files up. */
class Progress {
  readonly #bytes = new Map<RepoFile, number>();
  readonly #files: readonly RepoFile[];
  readonly #report: ((progress: PullProgress) => void) | undefined;
  #total = 0;
  #sum = 0;
  #finished = 0;

  constructor(files: readonly RepoFile[], report: ((progress: PullProgress) => void) | undefined) {
    this.#files = files;
    this.#report = report;
    for (const { size } of files) this.#total += size ?? 0;
  }

  report(file: RepoFile, bytes: number): void {
    this.#sum += bytes - (this.#bytes.get(file) ?? 0);
    this.#bytes.set(file, bytes);
    this.#emit();
  }

  finish(): void {
    this.#finished++;
    this.#emit();
  }

  #emit(): void {
    this.#report?.({
      bytes: this.#sum,
      totalBytes: Math.max(this.#total, this.#sum),
      files: this.#finished,
      totalFiles: this.#files.length,
    });
  }
}
