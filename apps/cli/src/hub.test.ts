import { readFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { afterAll, describe, expect, it } from "vitest";
import { hubServer } from "./testing/hub-server.ts";
import { jsonOf, runCli, testHome } from "./testing/run-cli.ts";

const REPO = "someone/tiny-coder";
const hub = await hubServer(REPO, demoModelFolder);
const { home, remove } = testHome();
afterAll(async () => {
  await hub.close();
  remove();
});
const env = { HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: "0" };
const [first] = JSON.parse(readFileSync(join(demoModelFolder, "golden.json"), "utf8")).prompts as {
  text: string;
  greedy: number[];
}[];

const llm = async (...args: string[]) => {
  hub.fetched.length = 0;
  return jsonOf(await runCli([...args, "--json"], home, { env }));
};
const skipped = (result: Record<string, unknown>) =>
  Object.fromEntries(
    (result.stages as { name: string; skipped: boolean }[]).map(({ name, skipped }) => [name, skipped]),
  );

describe("models of a hub", () => {
  it("plan with the config alone, tokenize without weights", async () => {
    expect(await llm("plan", REPO)).toMatchObject({ fits: true, model: { name: REPO, blocks: 6 } });
    expect(hub.fetched).toEqual(["config.json"]);
    expect((await llm("tokenize", REPO, "def")).ids).toEqual([333]);
    expect(hub.fetched).toContain("tokenizer.json");
    expect(hub.fetched).not.toContain("model.safetensors");
  });

  it("infer: downloaded once, then found", async () => {
    const args = ["infer", REPO, "-p", first!.text, "--greedy", "--max-new-tokens", "8"];
    const once = await llm(...args);
    expect(once.tokens).toEqual(first!.greedy.slice(0, 8));
    expect(skipped(once)).toEqual({ fetch: false, export: false, verify: false, compile: true, run: false });
    expect(hub.fetched).toContain("model.safetensors");
    expect(skipped(await llm(...args))).toEqual({ fetch: true, export: true, verify: true, compile: true, run: false });
    expect(hub.fetched).toEqual([]);
    expect((await llm(...args, "--offline")).tokens).toEqual(first!.greedy.slice(0, 8));
  });

  it("run: --revision is of the model, not of the one that drafts for it", async () => {
    const args = ["run", "demo", "-p", first!.text, "--greedy", "--max-new-tokens", "8", "--revision", "0123abc"];
    const { completions } = (await llm(...args, "--draft-model", REPO)) as { completions: { tokens: number[] }[] };
    expect(completions[0]!.tokens).toEqual(first!.greedy.slice(0, 8));
  });

  it("export links the cache's own files, though those are links themselves", async () => {
    const { bytesReferenced } = await llm("export", REPO, "--out", join(home, "out"));
    expect(bytesReferenced).toBeGreaterThan(10e6);
  });

  it("pull says what is there, with hashes", async () => {
    const { files } = (await llm("pull", REPO)) as { files: { path: string; bytes: number; sha256: string }[] };
    const weights = files.find(({ path }) => path === "model.safetensors");
    expect(weights).toEqual({
      path: "model.safetensors",
      bytes: expect.any(Number),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it("says in one line that there is no such model", async () => {
    const { code, stdout, stderr } = await runCli(["pull", "someone/else"], home, { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^llm: .*someone\/else[^\n]*\n$/);
  });
});
