import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hubSettings } from "./settings.ts";

test.each([
  [{}, join(homedir(), ".cache/huggingface/hub")],
  [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
  [{ XDG_CACHE_HOME: "/x", HF_HOME: "/hf" }, "/hf/hub"],
  [{ HF_HOME: "/hf", HF_HUB_CACHE: "/cache" }, "/cache"],
  [{ HF_HOME: "~/hf" }, join(homedir(), "hf/hub")],
  [{ HF_HUB_CACHE: "~/x" }, join(homedir(), "x")],
  [{ HUGGINGFACE_HUB_CACHE: "~" }, homedir()],
  [{ XDG_CACHE_HOME: "~/.c" }, join(homedir(), ".c/huggingface/hub")],
  [{ HF_HOME: "$DATA/hf/$WHO", DATA: "/data" }, "/data/hf/$WHO/hub"],
])("%j caches in %s", async (env, expected) => {
  expect((await hubSettings({ env: { HF_TOKEN: "t", ...env } })).cacheDir).toBe(expected);
});

test("the token: option, environment, file", async () => {
  const home = await mkdtemp(join(tmpdir(), "hf-home-"));
  await writeFile(join(home, "token"), "hf_file\n");
  const env = { HF_HOME: home };
  expect((await hubSettings({ env })).token).toBe("hf_file");
  expect((await hubSettings({ env: { ...env, HF_TOKEN: "hf_env" } })).token).toBe("hf_env");
  expect((await hubSettings({ env: { ...env, HF_TOKEN: "hf_env" }, token: "hf_option" })).token).toBe("hf_option");
  expect((await hubSettings({ env: { ...env, HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" } })).token).toBeUndefined();
  expect((await hubSettings({ env: { HF_TOKEN_PATH: join(home, "token") } })).token).toBe("hf_file");
  await rm(home, { recursive: true });
});

test("the endpoint may be a mirror, and has to be one", async () => {
  const env = { HF_TOKEN: "t" };
  expect((await hubSettings({ env })).endpoint).toBe("https://huggingface.co");
  expect((await hubSettings({ env: { ...env, HF_ENDPOINT: "https://mirror.example/hf/" } })).endpoint).toBe(
    "https://mirror.example/hf",
  );
  await expect(hubSettings({ env: { ...env, HF_ENDPOINT: "mirror" } })).rejects.toThrow(/HF_ENDPOINT/);
});

test.each([
  ["1", true],
  ["TRUE", true],
  ["yes", true],
  ["0", false],
  ["", false],
])("HF_HUB_OFFLINE=%s: %s", async (value, expected) => {
  expect((await hubSettings({ env: { HF_TOKEN: "t", HF_HUB_OFFLINE: value } })).offline).toBe(expected);
});
