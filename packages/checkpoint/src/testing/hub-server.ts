import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** Answers instead of the well-behaved server; returns false to let it answer after all. */
export type Fault = (request: SeenRequest, response: ServerResponse) => boolean | Promise<boolean>;

export interface HubServer {
  readonly url: string;
  readonly requests: SeenRequest[];
  fault: Fault | undefined;
  close(): Promise<void>;
}

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

export interface HubContent {
  readonly repo: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Large files are redirected to this address, as the hub sends them to its storage. */
  readonly storage?: string;
  /** Listing without sizes and hashes, as some mirrors have it. */
  readonly bare?: boolean;
}

/** A small hub: the listing, and files by range; `fault` makes it misbehave. */
export async function startHub(content: HubContent): Promise<HubServer> {
  const { server, url } = await listen((request, response) => handle(request, response));
  const hub: HubServer = { url, requests: [], fault: undefined, close: () => stop(server) };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = seenRequest(request);
    hub.requests.push(seen);
    if (await hub.fault?.(seen, response)) return;
    const path = decodeURIComponent(seen.path.split("?")[0]!);
    const listing = `/api/models/${content.repo}/revision/`;
    const file = path.startsWith(`/${content.repo}/resolve/`) ? path.split("/").slice(5).join("/") : undefined;
    if (path.startsWith(listing) && ["main", COMMIT].includes(path.slice(listing.length)))
      return json(response, {
        id: content.repo,
        sha: COMMIT,
        siblings: Object.entries(content.files).map(([name, bytes]) => sibling(content, name, bytes)),
      });
    if (path.startsWith(`/api/models/${content.repo}/tree/`)) {
      json(response, tree(content));
      return;
    }
    const bytes = file === undefined ? undefined : content.files[file];
    if (!bytes) {
      status(response, 404, { "x-error-code": file === undefined ? "RepoNotFound" : "EntryNotFound" });
      return;
    }
    if (isLarge(file!) && content.storage)
      return status(response, 302, {
        location: `${content.storage}/${file}`,
        "x-linked-size": String(bytes.length),
        "x-linked-etag": `"${sha256(bytes)}"`,
        "x-repo-commit": COMMIT,
      });
    sendRange(seen, response, bytes, `"${isLarge(file!) ? sha256(bytes) : gitHash(bytes)}"`);
  }
  return hub;
}

/** Another host that holds large files and knows nothing else. */
export async function startStorage(files: Readonly<Record<string, Uint8Array>>): Promise<HubServer> {
  const { server, url } = await listen(async (request, response) => {
    const seen = seenRequest(request);
    storage.requests.push(seen);
    if (await storage.fault?.(seen, response)) return;
    const bytes = files[seen.path.slice(1)];
    if (bytes) sendRange(seen, response, bytes, '"another"');
    else status(response, 404, {});
  });
  const storage: HubServer = { url, requests: [], fault: undefined, close: () => stop(server) };
  return storage;
}

function sibling({ bare }: HubContent, rfilename: string, bytes: Uint8Array): object {
  if (bare) return { rfilename };
  const base = { rfilename, size: bytes.length, blobId: gitHash(bytes) };
  return isLarge(rfilename) ? { ...base, lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 130 } } : base;
}

function tree({ files }: HubContent): object[] {
  const entries = Object.entries(files).map(([path, bytes]) => {
    const base = { type: "file", path, size: bytes.length, oid: gitHash(bytes) };
    return isLarge(path) ? { ...base, lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } } : base;
  });
  return [{ type: "directory", path: "onnx", size: 0, oid: COMMIT }, ...entries];
}

function isLarge(name: string): boolean {
  return /\.(safetensors|bin|gguf)$/.test(name);
}

export function sendRange(seen: SeenRequest, response: ServerResponse, bytes: Uint8Array, etag: string): void {
  const start = Number(/^bytes=(\d+)-$/.exec(seen.range ?? "")?.[1] ?? 0);
  if (start > 0 && start >= bytes.length) {
    status(response, 416, {});
    return;
  }
  const part = bytes.subarray(start);
  const headers: Record<string, string | number> = { "content-length": part.length, etag, "x-repo-commit": COMMIT };
  if (start > 0) headers["content-range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  response.writeHead(start > 0 ? 206 : 200, headers);
  response.end(seen.method === "HEAD" ? undefined : part);
}

export function status(response: ServerResponse, code: number, headers: Record<string, string>): void {
  response.writeHead(code, headers);
  response.end();
}

export function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function gitHash(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

function seenRequest({ method = "", url = "", headers }: IncomingMessage): SeenRequest {
  return { method, path: url, range: headers.range, authorization: headers.authorization };
}

async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
