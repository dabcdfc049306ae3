import { goldenDir } from "@llm/fixtures";
import { describe, expect, it } from "vitest";
import { openModel, unreadNote } from "./open-model.ts";
import { planModel } from "./plan.ts";
import { resolveModel } from "./resolve-model.ts";
import { findTarget } from "./targets.ts";

describe("opening models", () => {
  it("knows what they are from their config", async () => {
    const model = await openModel(goldenDir("llama_gqa_llama3"));
    expect(model.card).toMatchObject({
      name: "llama_gqa_llama3",
      architecture: "llama",
      blocks: model.graph.blocks.length - 2,
    });
    const stored = model.checkpoint.describe();
    expect(model.card.parameters).toBe(stored.parameters);
    expect(model.unread).toEqual([]);
    expect(unreadNote(model)).toBeUndefined();
    expect(unreadNote({ unread: ["a", "b"] })).toMatch(/^config\.json: nobody reads a, b; /);
    await model.close();
  });

  it("sets fields of the config, and says which text isn't one", async () => {
    const path = goldenDir("gpt2");
    const model = await openModel(path, { config: ["n_positions=32"] }).catch((error: Error) => error);
    expect(model).toMatchObject({
      code: "model-mismatch",
      message: expect.stringMatching(/wpe\.weight is \[\d+, \d+\], not \[32, \d+\]/),
    });
    await expect(openModel(path, { config: ["n_positions"] })).rejects.toMatchObject({ code: "option-invalid" });
  });

  it("tells a config without weights from a checkpoint, and plans with it", async () => {
    const { target } = await findTarget("cpu");
    const { plan, card } = await planModel("demo", target, { batchSize: "max" });
    expect(plan.fits).toBe(true);
    expect(card.context).toBe(1024);
    const { plan: more } = await planModel("demo", target, { batchSize: plan.maxBatchSize + 1 });
    expect(more.fits).toBe(false);
    const few = {
      ...target,
      options: { ...target.options, batchSize: { kind: "number", doc: "", default: 1, max: 3, shapes: false } },
    };
    expect((await planModel("demo", few as typeof target, { batchSize: "max" })).options.batchSize).toBe(3);
  });
});

describe("finding models", () => {
  it("knows demo, folders and files", async () => {
    expect(await resolveModel()).toMatchObject({ name: "demo", from: "bundled" });
    expect(await resolveModel(goldenDir("gpt2"))).toMatchObject({ name: "gpt2", from: "disk" });
  });

  it.each(["./nowhere", "/nowhere/at/all", "a/b/c", "-x"])("says of %s that it isn't there", async (model) => {
    await expect(resolveModel(model, { offline: true })).rejects.toMatchObject({ code: "model-not-found" });
  });
});
