import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, openCheckpoint } from "@llm/checkpoint";
import type { ReferenceModel } from "@llm/core-ir";
import { goldenDir } from "@llm/fixtures";
import type { Target } from "@llm/target";
import { type ConformanceContext, conformance } from "@llm/target/conformance";
import { afterAll, beforeAll, describe, test } from "vitest";
import { aic100Target } from "./aic100-target.ts";
import { openEmulator } from "./emulator/open-emulator.ts";
import { type BuiltGolden, buildGolden, cardOf, fitting, requestFor } from "./testing/build-golden.ts";
import { goldenReference } from "./testing/reference.ts";

// Continuous batching, rows that are slots, a window's ring, all rows at one place, tokens instead of logits, and shards.
const CASES = [
  ["gpt_bigcode_mqa", { fullBatchSize: 3, promptLen: 4 }],
  ["bloom", { batchSize: 3, promptLen: 4 }],
  ["mistral_swa", { fullBatchSize: 3, promptLen: 4 }],
  ["gpt2", { sdk: "recipe", batchSize: 3, promptLen: 4 }],
  ["gpt2", { onDeviceSampling: true, fullBatchSize: 3, promptLen: 4 }],
  ["gpt2", { mesh: "1x2", fullBatchSize: 3, promptLen: 4 }],
] as const;

describe.each(CASES)("%s %j", (name, changed) => {
  let built: BuiltGolden;
  let checkpoint: Checkpoint;
  let folder: string;
  let context: ConformanceContext;

  beforeAll(async () => {
    built = await buildGolden(name, { ...changed, ctxLen: 32 });
    const options = fitting(built.graph, { ...changed, ctxLen: 32 });
    checkpoint = await openCheckpoint(goldenDir(name));
    folder = mkdtempSync(join(tmpdir(), "llm-aic100-"));
    const { graph, artefact } = built;
    const reference: ReferenceModel = await goldenReference(name, graph, { context: options.ctxLen });
    const { program, source } = requestFor(name, graph, checkpoint.weights, options, folder);
    context = {
      open: () => openEmulator(artefact, options, { fill: Number.NaN }),
      oracle: (history) => reference.step([{ slot: 0, at: 0, tokens: history, last: 1 }])[0]!.logits,
      tolerance: 1e-4,
      build: { target: aic100Target as Target, options, graph, program, source, model: cardOf(name, graph), folder },
    };
  });
  afterAll(async () => {
    await checkpoint.close();
    built[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  // Shards are many units, each of which would be stopped once: what a single one shows is enough.
  const checks = "mesh" in changed ? conformance.filter(({ about }) => about === "session") : conformance;
  test.each(checks)("$name", ({ run }) => run(context));
});
