import { demoModelFolder } from "@llm/demo-model";
import { expect, test } from "vitest";
import { Generator } from "./generator.ts";
import { makeReady } from "./make-ready.ts";
import { openRunnable } from "./open-runnable.ts";
import { findTarget } from "./targets.ts";
import { scratch } from "./testing/scratch.ts";

const { env } = scratch();

async function made(targetOptions: Readonly<Record<string, unknown>> = {}, id = "cpu"): Promise<string> {
  const { target } = await findTarget(id);
  const { artefact, model } = await makeReady(demoModelFolder, target, { env, targetOptions, verify: false });
  await model.close();
  return artefact.folder;
}

async function opens(artefact: string, targetOptions: Readonly<Record<string, unknown>>): Promise<void> {
  const { close } = await openRunnable(artefact, { env, targetOptions });
  await close();
}

test("a finished artefact refuses what it was made otherwise with, by name", async () => {
  const plain = await made();
  for (const [given, message] of [
    [{ format: "int4" }, "made with --format fp32, not with --format int4: leave that out"],
    [{ kvFormat: "int8" }, "made with --kv-format fp32, not with --kv-format int8"],
    [{ emulate: true }, "made without --emulate, not with --emulate"],
    [{ formatRules: ["lm_head.*=int8"] }, "made without --format-rules, not with --format-rules lm_head.*=int8"],
    [{ activations: "bf16" }, "made with --activations fp32"],
    [{ qGroupSize: 64 }, "made with --q-group-size 0"],
  ] as const)
    await expect(openRunnable(plain, { env, targetOptions: given })).rejects.toMatchObject({
      code: "option-invalid",
      message: expect.stringContaining(message),
    });
  const packed = await made({ format: "int4" });
  await expect(opens(packed, { format: "fp32" })).rejects.toThrow("made with --format int4, not with --format fp32");
});

test("it takes what it was made with, what is left open, and what only opening goes by", async () => {
  const packed = await made({ format: "int4" });
  await opens(packed, { format: "INT4", emulate: false, formatRules: [] });
  await opens(packed, { format: "auto", ctxLen: 32, threads: 1 });
  await opens(packed, { mesh: "2x1" });
});

test("what is said for a larger model leaves its draft as it was made", async () => {
  const generator = await Generator.fromPretrained(demoModelFolder, {
    env,
    draftModel: await made(),
    targetOptions: { format: "int4" },
  });
  await generator.close();
});

test("a draft that is finished for another device is taken beside a model whose target was said", async () => {
  const draftModel = await made({}, "null");
  const generator = await Generator.fromPretrained(demoModelFolder, { env, draftModel, target: "cpu" });
  expect(generator.runnable.target.id).toBe("cpu");
  await generator.close();
});
