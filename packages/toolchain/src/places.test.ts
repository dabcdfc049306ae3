import { existsSync, mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { artefactCache, hubCache, scratchFolder } from "./places.ts";
import { scratch } from "./testing/scratch.ts";

const { env } = scratch();

describe("places", () => {
  it.each<[string, Record<string, string>, string, string]>([
    ["the home's cache", { HOME: "/home/x" }, "/home/x/.cache/llm/artefacts", "/home/x/.cache/huggingface/hub"],
    ["XDG's", { HOME: "/home/x", XDG_CACHE_HOME: "/c" }, "/c/llm/artefacts", "/c/huggingface/hub"],
    ["no relative one", { HOME: "/home/x", XDG_CACHE_HOME: "c" }, "/home/x/.cache/llm/artefacts", "c/huggingface/hub"],
    ["the hub's own", { HOME: "/home/x", HF_HOME: "/hf" }, "/home/x/.cache/llm/artefacts", "/hf/hub"],
    ["with a home", { HOME: "/home/x", HF_HOME: "~/hf" }, "/home/x/.cache/llm/artefacts", "/home/x/hf/hub"],
    ["and nearer", { HOME: "/home/x", HF_HOME: "/hf", HF_HUB_CACHE: "/hub" }, "/home/x/.cache/llm/artefacts", "/hub"],
  ])("are in %s", (_, environment, artefacts, hub) => {
    expect([artefactCache(environment), hubCache(environment)]).toEqual([artefacts, hub]);
  });

  it("clears away what killed runs left, and nothing that is in use", async () => {
    const folder = await scratchFolder(env);
    for (const name of ["old", "new"]) mkdirSync(join(folder, name, "deep"), { recursive: true });
    const longAgo = Date.now() / 1000 - 48 * 3600;
    utimesSync(join(folder, "old"), longAgo, longAgo);
    await scratchFolder(env);
    expect([existsSync(join(folder, "old")), existsSync(join(folder, "new"))]).toEqual([false, true]);
  });
});
