import { demoModelFolder } from "@llm/demo-model";
import { expect, test } from "vitest";
import { checkFinished } from "./finished-options.ts";
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

test("what says an option in other words is held to what that one was", () => {
  const choice = { kind: "choice", doc: "", choices: ["fp16", "int4"] } as const;
  const target = {
    id: "made",
    options: {
      mode: { ...choice, default: "fp16", shapes: true },
      format: { ...choice, shapes: false, says: "mode" },
      packed: { kind: "boolean", doc: "", default: false, shapes: true, says: "mode" },
    },
    defaults: ({ format, packed }: { format?: string; packed?: boolean }) =>
      packed ? { mode: "int4" } : format === undefined ? {} : { mode: format },
  } as never;
  const check = (mode: string, given: object) => () =>
    checkFinished("x", target, { mode, packed: false }, { ...given });
  expect(check("int4", { format: "fp16" })).toThrow("made with --mode int4, not with --mode fp16");
  expect(check("fp16", { packed: true })).toThrow("made with --mode fp16, not with --mode int4");
  for (const given of [{ format: "int4" }, { packed: true }, { packed: false }, {}])
    expect(check("int4", given)).not.toThrow();
});

test("what is said for a larger model leaves its draft as it was made", async () => {
  const generator = await Generator.fromPretrained(demoModelFolder, {
    env,
    draftModel: await made(),
    targetOptions: { format: "int4", mesh: "1x2" },
  });
  await generator.close();
});

test("a draft that is finished for another device is taken beside a model whose target was said", async () => {
  const draftModel = await made({}, "null");
  const generator = await Generator.fromPretrained(demoModelFolder, { env, draftModel, target: "cpu" });
  expect(generator.runnable.target.id).toBe("cpu");
  await generator.close();
});
