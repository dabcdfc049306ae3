import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { COMMIT, type HubServer, sha256, startHub, status } from "../testing/hub-server.ts";
import { until } from "../testing/until.ts";
import { type PullOptions, pull } from "./pull.ts";

const repo = "org/tiny";
const weights = randomBytes(300_000);
const config = Buffer.from('{"model_type":"llama"}');
const files = { "config.json": config, "tokenizer.json": Buffer.from("{}"), "model.safetensors": weights };

let cacheDir: string;
let hub: HubServer;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "cached-"));
  hub = await startHub({ repo, files });
});
afterEach(async () => {
  await hub.close();
  await rm(cacheDir, { recursive: true });
});

const patience = { firstDelayMs: 1, longestDelayMs: 5, stallMs: 30_000, attempts: 4 };
const get = (options: PullOptions = {}) =>
  pull(repo, { endpoint: hub.url, cacheDir, env: {}, token: "hf_secret", patience, ...options });
const root = () => join(cacheDir, "models--org--tiny");
const blob = () => join(root(), "blobs", sha256(weights));

test("of a commit that is there whole, nobody is asked", async () => {
  const first = await get({ revision: COMMIT });
  expect(first.downloaded).toBe(weights.length + config.length + 2);
  hub.requests.length = 0;
  const again = await get({ revision: COMMIT });
  expect(again).toEqual({ ...first, downloaded: 0 });
  expect(hub.requests).toEqual([]);
  await rm(join(first.folder, "model.safetensors"));
  expect((await get({ revision: COMMIT })).files).toEqual(first.files);
});

test("weights have no name before everything around them is there", async () => {
  hub.fault = ({ path }, response) => {
    if (!path.endsWith("tokenizer.json")) return false;
    until(async () => (await stat(blob()).catch(() => undefined)) !== undefined).then(
      () => status(response, 404, {}),
      () => {}, // the expectation below says it
    );
    return true;
  };
  await expect(get({ revision: COMMIT })).rejects.toThrow();
  expect(await stat(blob())).toMatchObject({ size: weights.length });
  expect(await readdir(join(root(), "snapshots", COMMIT))).toEqual(["config.json"]);
  hub.fault = () => false;
  expect((await get({ revision: COMMIT })).files.length).toBe(3);
});

test("where the hub doesn't answer, what is there whole will do, and that is said", async () => {
  const broken = () => {
    hub.fault = (_, response) => {
      status(response, 500, {});
      return true;
    };
  };
  await get({ want: "config" });
  broken();
  expect(await get({ want: "config" })).toMatchObject({ note: expect.stringMatching(/answers 500.*in the cache$/) });
  await expect(get()).rejects.toMatchObject({
    code: "hub-failed",
    message: expect.stringMatching(/answers 500.*; what was fetched before can be used with --offline/),
  });
  hub.fault = () => false;
  const whole = await get();
  broken();
  expect(await get()).toMatchObject({ folder: whole.folder, files: whole.files, downloaded: 0 });
});

test("files are hashed where the hub doesn't say it, unless nobody wants to know", async () => {
  const { files: known } = await get({ hashes: false });
  expect(known).toContainEqual({ path: "config.json", bytes: config.length });
  expect(known).toContainEqual({ path: "model.safetensors", bytes: weights.length, sha256: sha256(weights) });
});

test("one of several GGUF models comes by its quantisation, with all its parts, and again offline", async () => {
  await hub.close();
  const parts = ["x-Q8_0-00001-of-00002.gguf", "x-Q8_0-00002-of-00002.gguf"].map((name) => `Q8_0/${name}`);
  const gguf = Object.fromEntries(["x-Q4_0.gguf", ...parts].map((name) => [name, randomBytes(100)]));
  hub = await startHub({ repo, files: gguf });
  const pulled = await get({ gguf: "Q8_0" });
  expect(pulled.files.map(({ path }) => path)).toEqual(parts);
  expect(pulled.model).toBe(join(pulled.folder, parts[0]!));
  const offline = { offline: true, fetch: () => Promise.reject(new Error("a request was made")) };
  expect(await get({ ...offline, gguf: "Q8_0" })).toMatchObject({ model: pulled.model, files: pulled.files });
  expect((await get(offline)).model).toBe(pulled.model); // it is the only one there is
  await expect(get({ ...offline, gguf: "x-Q4_0.gguf" })).rejects.toMatchObject({ code: "hub-offline" });
  await get({ gguf: "x-Q4_0.gguf" });
  await rm(join(pulled.folder, parts[1]!));
  await expect(get({ ...offline, gguf: "Q8_0" })).rejects.toMatchObject({ code: "hub-offline" });
});

test("offline makes no request, with and without something in the cache", async () => {
  const never = () => Promise.reject(new Error("a request was made"));
  const offline = { offline: true, fetch: never };
  await expect(get(offline)).rejects.toMatchObject({
    code: "hub-offline",
    message: expect.stringMatching(/not in the cache/),
  });
  const online = await get();
  expect(await get(offline)).toMatchObject({
    folder: online.folder,
    commit: COMMIT,
    files: expect.arrayContaining([...online.files]),
  });
  expect((await get({ ...offline, offline: undefined as never, env: { HF_HUB_OFFLINE: "1" } })).folder).toBe(
    online.folder,
  );
  expect((await get({ ...offline, revision: COMMIT })).folder).toBe(online.folder);
});
