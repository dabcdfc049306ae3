import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CheckpointError } from "../error.ts";
import { openCheckpoint } from "../open.ts";
import { fuzzRuns } from "../testing/fuzz-runs.ts";
import {
  COMMIT,
  gitHash,
  type HubServer,
  json,
  sendRange,
  sha256,
  startHub,
  startStorage,
  status,
} from "../testing/hub-server.ts";
import { safetensorsFile } from "../testing/safetensors-file.ts";
import { until } from "../testing/until.ts";
import { type PullOptions, type PullProgress, pull } from "./pull.ts";

const repo = "org/tiny";
const weights = safetensorsFile({ a: { dtype: "U8", shape: [300_000], bytes: randomBytes(300_000) } });
const config = Buffer.from('{"model_type":"llama"}');
const files = {
  "config.json": config,
  "tokenizer.json": Buffer.from("{}"),
  "README.md": Buffer.from("# hello"),
  "model.safetensors": weights,
  "pytorch_model.bin": randomBytes(100),
  "flax_model.msgpack": randomBytes(100),
};

let cacheDir: string;
let hub: HubServer;
let storage: HubServer | undefined;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "hub-"));
  hub = await startHub({ repo, files });
});
afterEach(async () => {
  await hub.close();
  await storage?.close();
  storage = undefined;
  await rm(cacheDir, { recursive: true });
});

// Nothing here stands still but where a test is about that: a pause of this process must not look like it.
const patience = { firstDelayMs: 1, longestDelayMs: 5, stallMs: 30_000, attempts: 4 };
const get = (options: PullOptions = {}) =>
  pull(repo, { endpoint: hub.url, cacheDir, env: {}, token: "hf_secret", patience, ...options });
const root = () => join(cacheDir, "models--org--tiny");
const blob = () => join(root(), "blobs", sha256(weights));
const fetched = (server = hub) => server.requests.filter(({ path }) => !path.startsWith("/api/"));
const ofWeights = (server = hub) => fetched(server).filter(({ path }) => path.endsWith("model.safetensors"));

/** Once, for the weights only: sends the first `length` bytes and does as told when they have arrived. */
function once(length: number, then: (response: ServerResponse) => void, server = hub): void {
  let done = false;
  server.fault = ({ path }, response) => {
    if (done || !path.endsWith("model.safetensors")) return false;
    done = true;
    response.writeHead(200, { "content-length": weights.length });
    response.write(weights.subarray(0, length));
    arrived(length).then(
      () => then(response),
      () => {}, // a test that ends the download early
    );
    return true;
  };
}

async function arrived(length: number): Promise<void> {
  await until(async () => (await stat(`${blob()}.incomplete`).catch(() => undefined))?.size === length);
}

test("only what is needed comes, laid out as Python's hub cache", async () => {
  const progress: PullProgress[] = [];
  const pulled = await get({ onProgress: (state) => progress.push(state) });
  expect(pulled.folder).toBe(join(root(), "snapshots", COMMIT));
  expect((await readdir(pulled.folder)).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  expect(await readlink(join(pulled.folder, "config.json"))).toBe(join("..", "..", "blobs", gitHash(config)));
  expect(await readlink(join(pulled.folder, "model.safetensors"))).toBe(join("..", "..", "blobs", sha256(weights)));
  expect(await readFile(join(root(), "refs", "main"), "utf8")).toBe(COMMIT);
  expect(pulled.files).toContainEqual({ path: "model.safetensors", bytes: weights.length, sha256: sha256(weights) });
  expect(pulled.files).toContainEqual({ path: "config.json", bytes: config.length, sha256: sha256(config) });
  const total = weights.length + config.length + 2;
  expect(progress.at(-1)).toEqual({ bytes: total, totalBytes: total, files: 3, totalFiles: 3 });
  expect((await readdir(join(root(), "blobs"))).length).toBe(3);
  const checkpoint = await openCheckpoint(pulled.folder);
  expect(checkpoint.weights.get("a")!.shape).toEqual([300_000]);
  await checkpoint.close();
});

test("a second time nothing is fetched but the listing", async () => {
  await get();
  hub.requests.length = 0;
  await get();
  expect(hub.requests.map(({ path }) => path)).toEqual([`/api/models/${repo}/revision/main?blobs=true`]);
});

test("for planning, the config is enough", async () => {
  const { folder, files } = await get({ want: "config" });
  expect(files.map(({ path }) => path)).toEqual(["config.json"]);
  expect(await readdir(folder)).toEqual(["config.json"]);
});

test("a connection that breaks is continued where it broke", async () => {
  once(100_000, (response) => response.destroy());
  await get();
  expect(ofWeights().map(({ range }) => range)).toEqual([undefined, "bytes=100000-"]);
  expect(await readFile(blob())).toEqual(Buffer.from(weights));
});

test("a file that ends early without a word is continued", async () => {
  let done = false;
  hub.fault = ({ path }, response) => {
    if (done || !path.endsWith("model.safetensors")) return false;
    done = true;
    response.writeHead(200); // chunked: the client can't know that bytes are missing
    response.end(weights.subarray(0, 100_000));
    return true;
  };
  await get();
  expect(ofWeights().map(({ range }) => range)).toEqual([undefined, "bytes=100000-"]);
  expect(await readFile(blob())).toEqual(Buffer.from(weights));
});

test("a length that is a lie counts as a broken connection", async () => {
  once(100_000, (response) => response.end());
  await get();
  expect(ofWeights().length).toBe(2);
  expect(await readFile(blob())).toEqual(Buffer.from(weights));
});

test("a connection that stands still is given up and continued", async () => {
  once(50_000, () => {});
  await get({ patience: { ...patience, stallMs: 400 } });
  expect(ofWeights().map(({ range }) => range)).toEqual([undefined, "bytes=50000-"]);
});

test("a pause of one's own is no connection that stands still", async () => {
  once(50_000, (response) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
    response.end(weights.subarray(50_000));
  });
  await get({ patience: { ...patience, stallMs: 400 } });
  expect(ofWeights().map(({ range }) => range)).toEqual([undefined]);
});

test("a server that knows no ranges sends all of it again", async () => {
  once(100_000, (response) => response.destroy());
  const broken = hub.fault!;
  hub.fault = async (seen, response) => {
    if (await broken(seen, response)) return true;
    if (seen.range === undefined) return false;
    sendRange({ ...seen, range: undefined }, response, weights, '"x"');
    return true;
  };
  await get();
  expect(await readFile(blob())).toEqual(Buffer.from(weights));
});

test.each<[string, (response: ServerResponse) => void]>([
  ["other bytes", (response) => response.end(randomBytes(weights.length))],
  ["more bytes than promised", (response) => response.end(Buffer.concat([weights, Buffer.from("more")]))],
])("%s are refused, and nothing is left under the final name", async (_, send) => {
  hub.fault = ({ path }, response) => {
    if (!path.endsWith("model.safetensors")) return false;
    response.writeHead(200);
    send(response);
    return true;
  };
  await expect(get()).rejects.toMatchObject({
    code: "hub-corrupt",
    message: expect.stringMatching(/org\/tiny\/model\.safetensors/),
  });
  expect((await readdir(join(root(), "blobs"))).filter((name) => name.startsWith(sha256(weights)))).toEqual([]);
});

test("when one file can't be had, the others don't go on", async () => {
  hub.fault = ({ path }, response) => {
    if (path.endsWith("model.safetensors")) return true; // never answers
    if (!path.endsWith("tokenizer.json")) return false;
    status(response, 404, { "x-error-code": "EntryNotFound" });
    return true;
  };
  const started = performance.now();
  await expect(get({ patience: { ...patience, stallMs: 60_000 } })).rejects.toMatchObject({ code: "hub-not-found" });
  expect(performance.now() - started).toBeLessThan(20_000);
});

test("rubbish that an earlier run left is found out and replaced", async () => {
  await mkdir(join(root(), "blobs"), { recursive: true });
  await writeFile(`${blob()}.incomplete`, randomBytes(1000));
  await get();
  expect(await readFile(blob())).toEqual(Buffer.from(weights));
  expect(ofWeights().map(({ range }) => range)).toEqual(["bytes=1000-", undefined]);
});

test("the token goes to the hub, and not to where the hub redirects", async () => {
  await hub.close();
  storage = await startStorage(files);
  hub = await startHub({ repo, files, storage: storage.url });
  await get();
  expect(hub.requests.every(({ authorization }) => authorization === "Bearer hf_secret")).toBe(true);
  expect(storage.requests.map(({ path, authorization }) => [path, authorization])).toEqual([
    ["/model.safetensors", undefined],
  ]);
});

test("a resumed download resumes at the storage too", async () => {
  await hub.close();
  storage = await startStorage(files);
  hub = await startHub({ repo, files, storage: storage.url });
  once(1234, (response) => response.destroy(), storage);
  await get();
  expect(ofWeights(storage).map(({ range }) => range)).toEqual([undefined, "bytes=1234-"]);
});

test("a redirect to another kind of address is not followed", async () => {
  hub.fault = ({ path }, response) => {
    if (!path.endsWith("config.json")) return false;
    status(response, 302, { location: "file:///etc/passwd" });
    return true;
  };
  await expect(get()).rejects.toMatchObject({
    code: "hub-failed",
    message: expect.stringMatching(/redirects to file:/),
  });
});

test("redirects in a circle end", async () => {
  hub.fault = ({ path }, response) => {
    status(response, 302, { location: path });
    return true;
  };
  await expect(get()).rejects.toMatchObject({
    code: "hub-failed",
    message: expect.stringMatching(/more than 10 times/),
  });
});

test("429 and 5xx are tried again, after as long as the server asks", async () => {
  const times: number[] = [];
  hub.fault = ({ path }, response) => {
    if (!path.endsWith("config.json") || times.push(performance.now()) > 2) return false;
    status(response, times.length === 1 ? 429 : 503, times.length === 1 ? { "retry-after": "1" } : {});
    return true;
  };
  await get();
  expect(times.length).toBe(3);
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(990);
});

test("a server that stays broken is given up in one line", async () => {
  hub.fault = (_, response) => {
    status(response, 500, {});
    return true;
  };
  const error = await get().catch((error) => error);
  expect(error).toMatchObject({ code: "hub-failed", message: expect.stringMatching(/answers 500, after 4 tries/) });
  expect(hub.requests.length).toBe(4);
});

test("a server that starts anew each time and stops here and there is given up", async () => {
  hub.fault = ({ path }, response) => {
    if (!path.endsWith("model.safetensors")) return false;
    const length = ofWeights().length % 2 === 1 ? 100_000 : 50_000;
    if (ofWeights().length > 20) return false; // it would go on for ever
    response.writeHead(200, { "content-length": weights.length });
    response.write(weights.subarray(0, length));
    void arrived(length).then(() => response.destroy());
    return true;
  };
  await expect(get()).rejects.toMatchObject({ code: "hub-failed", message: expect.stringMatching(/after 4 tries/) });
  expect(ofWeights().length).toBe(4);
});

test("a host that nobody answers at is given up sooner", async () => {
  const never = await startHub({ repo, files });
  await never.close();
  await expect(get({ endpoint: never.url, patience: { ...patience, attempts: 50 } })).rejects.toMatchObject({
    code: "hub-failed",
    message: expect.stringMatching(/can't be reached \(ECONNREFUSED\), after 3 tries/),
  });
});

test("a cache that can't be written says so, and what else there is", async () => {
  await writeFile(join(cacheDir, "file"), "");
  await expect(get({ cacheDir: join(cacheDir, "file", "hub") })).rejects.toMatchObject({
    code: "cache-unwritable",
    message: expect.stringMatching(/can't be written \(ENOTDIR\); HF_HUB_CACHE/),
  });
});

test.each<[string, number, Record<string, string>, string, RegExp]>([
  [
    "gated",
    403,
    { "x-error-code": "GatedRepo" },
    "hub-gated",
    /org\/tiny is gated: accept its licence at http:.*\/org\/tiny/,
  ],
  ["private", 401, {}, "hub-unauthorised", /does not exist .* or is private/],
  ["absent", 404, { "x-error-code": "RepoNotFound" }, "hub-not-found", /there is no org\/tiny/],
  ["without the revision", 404, { "x-error-code": "RevisionNotFound" }, "hub-not-found", /no revision "main"/],
])("a repository that is %s gives its own message, without the token", async (_, code, headers, kind, message) => {
  hub.fault = (_, response) => {
    status(response, code, headers);
    return true;
  };
  const error = await get().catch((error) => error);
  expect(error).toMatchObject({ code: kind, message: expect.stringMatching(message) });
  expect(JSON.stringify([error.message, error.stack])).not.toContain("hf_secret");
});

test("names in a listing can't leave the folder", async () => {
  hub.fault = (_, response) => {
    json(response, { sha: COMMIT, siblings: [{ rfilename: "../../evil.json", size: 1 }] });
    return true;
  };
  await expect(get()).rejects.toMatchObject({ code: "path-escapes" });
  hub.fault = (_, response) => {
    json(response, { sha: "../../..", siblings: [] });
    return true;
  };
  await expect(get()).rejects.toMatchObject({ code: "hub-failed" });
  await expect(pull("../../etc", { endpoint: hub.url, cacheDir })).rejects.toMatchObject({ code: "hub-not-found" });
  await expect(get({ revision: "../x" })).rejects.toMatchObject({ code: "hub-not-found" });
});

test("any listing is understood or refused", async () => {
  const entry = fc.oneof(
    fc.jsonValue(),
    fc.record({ rfilename: fc.string(), size: fc.jsonValue(), lfs: fc.jsonValue() }),
  );
  const listing = fc.oneof(
    fc.jsonValue(),
    fc.record({ sha: fc.oneof(fc.constant(COMMIT), fc.string()), siblings: fc.array(entry) }),
  );
  await fc.assert(
    fc.asyncProperty(listing, async (value) => {
      const fetch = () => Promise.resolve(new Response(JSON.stringify(value)));
      const result = await get({ fetch, want: "config", patience: { ...patience, attempts: 1 } }).catch(
        (error) => error,
      );
      if (result instanceof Error) expect(result, result.stack).toBeInstanceOf(CheckpointError);
    }),
    { numRuns: fuzzRuns(200) },
  );
});

test("a mirror that lists names only is asked about each file", async () => {
  await hub.close();
  hub = await startHub({ repo, files, bare: true });
  await get();
  expect(await readFile(blob())).toEqual(Buffer.from(weights));
  expect(fetched().filter(({ method }) => method === "HEAD").length).toBe(3);
});

test("a mirror that has only the tree is enough", async () => {
  hub.fault = ({ path }, response) => {
    if (!path.includes("/revision/")) return false;
    status(response, 404, {});
    return true;
  };
  const { commit } = await get();
  expect(commit).toBe(COMMIT);
  expect(await readFile(blob())).toEqual(Buffer.from(weights));
  expect(await readFile(join(root(), "refs", "main"), "utf8")).toBe(COMMIT);
});

test("two at once share one download", async () => {
  await Promise.all([get(), get()]);
  expect(ofWeights().length).toBe(1);
});

test("an abort ends it, and what came stays", async () => {
  const controller = new AbortController();
  once(60_000, () => {});
  const onProgress = ({ bytes }: PullProgress) => bytes > 10_000 && controller.abort(new Error("interrupted"));
  await expect(get({ signal: controller.signal, onProgress })).rejects.toThrow("interrupted");
  hub.fault = undefined;
  await get();
  expect(ofWeights().at(-1)!.range).toMatch(/^bytes=\d+-$/);
});

test("after a kill, no byte that came is fetched again", async () => {
  once(200_000, () => {}); // and then nothing: the process is killed meanwhile
  const script = `
    import { pull } from ${JSON.stringify(fileURLToPath(new URL("./pull.ts", import.meta.url)))};
    await pull(${JSON.stringify(repo)}, { endpoint: ${JSON.stringify(hub.url)}, cacheDir: ${JSON.stringify(cacheDir)}, env: {} });`;
  const child: ChildProcess = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  await arrived(200_000);
  await until(
    async () => (await lstat(join(root(), "snapshots", COMMIT, "tokenizer.json")).catch(() => undefined)) !== undefined,
  );
  child.kill("SIGKILL");
  await new Promise((resolve) => child.on("exit", resolve));
  hub.requests.length = 0;
  await get();
  expect(fetched().map(({ path, range }) => [path.split("/").at(-1), range])).toEqual([
    ["model.safetensors", "bytes=200000-"],
  ]);
  expect(await readFile(blob())).toEqual(Buffer.from(weights));
});
