import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** A hub with one repository: a folder's files. */
export interface HubServer {
  readonly endpoint: string;
  /** Paths of files that were asked for, in order. */
  readonly fetched: string[];
  close(): Promise<void>;
}

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** Serves the files of `folder` as the repository `repo`, as much like the hub as a client can tell. */
export async function hubServer(repo: string, folder: string): Promise<HubServer> {
  const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
  const files = new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
  const siblings = [...files].map(([rfilename, bytes]) => {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { rfilename, size: bytes.length, lfs: { sha256, size: bytes.length } };
  });
  const fetched: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, "http://hub").pathname);
    const file = path.startsWith(`/${repo}/resolve/${COMMIT}/`) ? files.get(path.split("/").at(-1)!) : undefined;
    if (path === `/api/models/${repo}/revision/main`) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ sha: COMMIT, siblings }));
    } else if (file) {
      fetched.push(path.split("/").at(-1)!);
      response.setHeader("content-length", file.length);
      response.setHeader("x-repo-commit", COMMIT);
      response.end(file);
    } else {
      response.statusCode = 404;
      response.setHeader("x-error-code", "RepoNotFound");
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections());
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, fetched, close };
}
