import { CheckpointError, printable } from "../error.ts";
import { checkFileName } from "../files/safe-name.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { type HubRequest, type HubResponse, request, Transient, withRetries } from "./http.ts";

/** A listing is about 300 bytes a file; the largest repositories hold some 100,000. */
const MAX_LISTING_BYTES = 64 * 1024 * 1024;

/** Pages of a listing, 1000 files each. */
const MAX_PAGES = 1000;

/** A file of a repository, as the hub lists it. */
export interface RepoFile {
  readonly path: string;
  readonly size: number | undefined;
  /** SHA-256 of a large file, git's SHA-1 of a small one: its name in the cache. Unknown on some mirrors. */
  readonly etag: string | undefined;
}

export interface RepoListing {
  readonly commit: string;
  readonly files: readonly RepoFile[];
}

/** `org/name`, or a name alone for the first models. */
export function checkRepo(repo: string): string {
  const parts = repo.split("/");
  if (parts.length > 2 || !parts.every((part) => /^[\w.-]{1,96}$/.test(part) && !/^\.+$/.test(part)))
    throw new CheckpointError(
      "hub-not-found",
      `"${printable(repo)}" is not the name of a repository, such as org/name`,
    );
  return repo;
}

/** Branches, tags, commits, `refs/pr/1`. */
export function checkRevision(revision: string): string {
  const parts = revision.split("/");
  if (!parts.every((part) => /^[\w.+-]{1,200}$/.test(part) && !/^\.+$/.test(part)))
    throw new CheckpointError("hub-not-found", `"${printable(revision)}" is not the name of a revision`);
  return revision;
}

/** Whether a revision is a commit, written in full. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** What is in a repository at a revision, and which commit that is. */
export async function listRepo(hub: HubRequest, repo: string, revision: string): Promise<RepoListing> {
  const base = `${hub.settings.endpoint}/api/models/${repo}`;
  const info = await getJson(hub, repo, revision, `${base}/revision/${encodeURIComponent(revision)}?blobs=true`, true);
  const { sha, siblings } = isObject(info?.json) ? info.json : ({} as JsonObject);
  if (sha !== undefined && Array.isArray(siblings))
    return { commit: checkCommit(hub, repo, sha), files: siblings.map((entry) => fileOf(hub, entry, "rfilename")) };

  // Mirrors that don't answer that have the tree, and name the commit with each file.
  const files = await listTree(hub, repo, typeof sha === "string" ? checkCommit(hub, repo, sha) : revision, base);
  return { files, commit: checkCommit(hub, repo, sha ?? (await commitOf(hub, repo, revision, files))) };
}

function checkCommit({ settings }: HubRequest, repo: string, sha: Json | undefined): string {
  if (typeof sha === "string" && /^[\w-]{1,100}$/.test(sha)) return sha;
  throw new CheckpointError("hub-failed", `${settings.endpoint} doesn't say which commit ${repo} is at`);
}

async function listTree(hub: HubRequest, repo: string, revision: string, base: string): Promise<RepoFile[]> {
  const files: RepoFile[] = [];
  let next: string | undefined = `${base}/tree/${encodeURIComponent(revision)}?recursive=true`;
  for (let page = 0; next !== undefined && page < MAX_PAGES; page++) {
    const answer: Answer | undefined = await getJson(hub, repo, revision, next);
    if (!Array.isArray(answer?.json))
      throw new CheckpointError("hub-failed", `${hub.settings.endpoint} doesn't list the files of ${repo}`);
    for (const entry of answer.json)
      if (!isObject(entry) || entry.type !== "directory") files.push(fileOf(hub, entry, "path"));
    next = nextPage(answer.headers, next);
  }
  return files;
}

async function commitOf(
  hub: HubRequest,
  repo: string,
  revision: string,
  files: readonly RepoFile[],
): Promise<string | undefined> {
  const [file] = files;
  if (!file) return undefined;
  return withRetries(hub, repo, async () => {
    const response = await request(hub, "HEAD", fileUrl(hub, repo, revision, file.path));
    await response.discard();
    checkStatus(hub, response, repo, revision);
    return response.first.get("x-repo-commit") ?? undefined;
  });
}

/** Asks about one file, where the listing doesn't say enough. */
export async function fileFacts(hub: HubRequest, repo: string, commit: string, file: RepoFile): Promise<RepoFile> {
  if (file.size !== undefined && file.etag !== undefined) return file;
  return withRetries(hub, file.path, async () => {
    const response = await request(hub, "HEAD", fileUrl(hub, repo, commit, file.path));
    await response.discard();
    checkStatus(hub, response, repo, commit);
    const { first, headers } = response;
    const length = first.get("x-linked-size") ?? headers.get("content-length");
    const etag = first.get("x-linked-etag") ?? headers.get("etag");
    return {
      path: file.path,
      size: file.size ?? (length !== null && /^\d+$/.test(length) ? Number(length) : undefined),
      etag: file.etag ?? cacheName(etag),
    };
  });
}

export function fileUrl({ settings }: HubRequest, repo: string, commit: string, path: string): string {
  return `${settings.endpoint}/${repo}/resolve/${encodeURIComponent(commit)}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

function fileOf(hub: HubRequest, entry: Json, key: "rfilename" | "path"): RepoFile {
  const path = isObject(entry) ? entry[key] : undefined;
  if (!isObject(entry) || typeof path !== "string")
    throw new CheckpointError("hub-failed", `${hub.settings.endpoint} lists a file without a name`);
  checkFileName(path, hub.settings.endpoint);
  const lfs = isObject(entry.lfs) ? entry.lfs : {};
  const size = [lfs.size, entry.size].find((value) => Number.isSafeInteger(value) && (value as number) >= 0);
  const hash = [lfs.sha256, lfs.oid, entry.blobId, entry.oid].find((value) => typeof value === "string");
  return { path, size: size as number | undefined, etag: cacheName((hash as string | undefined) ?? null) };
}

/** An etag as a file name of the cache, or undefined when it can't be one. */
function cacheName(etag: string | null): string | undefined {
  const name = etag?.replace(/^W\//, "").replaceAll('"', "");
  return name !== undefined && /^[\w-]{1,200}$/.test(name) ? name : undefined;
}

interface Answer {
  readonly json: Json;
  readonly headers: Headers;
}

/** Undefined, if that is allowed, where a server has no such address at all, rather than no such repository. */
async function getJson(
  hub: HubRequest,
  repo: string,
  revision: string,
  url: string,
  optional = false,
): Promise<Answer | undefined> {
  return withRetries(hub, repo, async () => {
    const response = await request(hub, "GET", url, { accept: "application/json" });
    if (response.status !== 200) await response.discard();
    if (optional && response.status === 404 && !response.headers.has("x-error-code")) return undefined;
    checkStatus(hub, response, repo, revision);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body()) {
      size += chunk.length;
      if (size > MAX_LISTING_BYTES)
        throw new CheckpointError("limit-exceeded", `${repo}: the listing has more than ${MAX_LISTING_BYTES} bytes`);
      chunks.push(chunk);
    }
    try {
      return { json: JSON.parse(Buffer.concat(chunks).toString("utf8")), headers: response.headers };
    } catch {
      throw new Transient(`${hub.settings.endpoint} sends a broken listing`);
    }
  });
}

/** Turns what isn't success into the one line that helps. */
export function checkStatus({ settings }: HubRequest, response: HubResponse, repo: string, revision: string): void {
  const { status, first } = response;
  if (status === 200 || status === 206) return;
  const kind = first.get("x-error-code") ?? response.headers.get("x-error-code") ?? "";
  const page = `${settings.endpoint}/${repo}`;
  const withToken =
    settings.token === undefined ? "give a token (--hf-token, HF_TOKEN)" : "check that the token may read it";
  if (kind === "GatedRepo" || (status === 403 && kind === ""))
    throw new CheckpointError("hub-gated", `${repo} is gated: accept its licence at ${page}, and ${withToken}`);
  if (kind === "RevisionNotFound")
    throw new CheckpointError("hub-not-found", `${repo} has no revision "${printable(revision)}"`);
  if (kind === "EntryNotFound") throw new CheckpointError("hub-not-found", `${repo} doesn't have the file any more`);
  if (status === 401 || status === 403)
    throw new CheckpointError(
      "hub-unauthorised",
      `${repo} does not exist at ${settings.endpoint}, or is private: ${withToken}`,
    );
  if (status === 404)
    throw new CheckpointError(
      "hub-not-found",
      `there is no ${repo} (revision "${printable(revision)}") at ${settings.endpoint}`,
    );
  throw new CheckpointError("hub-failed", `${repo}: ${settings.endpoint} answers ${status}`);
}

/** The next page, if it is on the same server: a listing has no business elsewhere. */
function nextPage(headers: Headers, current: string): string | undefined {
  const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(headers.get("link") ?? "")?.[1];
  if (link === undefined || !URL.canParse(link, current)) return undefined;
  const next = new URL(link, current);
  return next.origin === new URL(current).origin ? next.href : undefined;
}
