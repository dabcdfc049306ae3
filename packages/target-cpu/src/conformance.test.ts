import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, openCheckpoint } from "@llm/checkpoint";
import { corePasses, programOf, runPipeline } from "@llm/core-ir";
import { goldenDir } from "@llm/fixtures";
import type { Target } from "@llm/target";
import { type ConformanceContext, conformance } from "@llm/target/conformance";
import { afterAll, beforeAll, describe, test } from "vitest";
import { cpuTarget } from "./cpu-target.ts";
import { type BuiltGolden, buildGolden, cardOf, DEFAULTS } from "./testing/open-golden.ts";
import { goldenReference } from "./testing/reference.ts";

const options = { ...DEFAULTS, batchSize: 3, ctxLen: 30 };

// One each of: one key head, biases by distance, a window, a latent cache.
describe.each(["gpt_bigcode_mqa", "bloom", "mistral_swa", "deepseek_v2"])("%s", (name) => {
  let built: BuiltGolden;
  let checkpoint: Checkpoint;
  let folder: string;
  let context: ConformanceContext;

  beforeAll(async () => {
    built = await buildGolden(name);
    checkpoint = await openCheckpoint(goldenDir(name));
    folder = mkdtempSync(join(tmpdir(), "llm-cpu-"));
    const { graph, artefact } = built;
    const reference = await goldenReference(name, graph, { context: options.ctxLen });
    const program = runPipeline(programOf(graph), cpuTarget.pipeline(graph, options), {
      passes: [...corePasses, ...(cpuTarget.passes ?? [])],
      dialects: cpuTarget.dialects,
    });
    const target = cpuTarget as Target;
    context = {
      open: () => cpuTarget.open(artefact, options),
      oracle: (history) => reference.step([{ slot: 0, at: 0, tokens: history, last: 1 }])[0]!.logits,
      tolerance: 1e-4,
      build: { target, options, graph, program, source: checkpoint.weights, model: cardOf(name, graph), folder },
    };
  });
  afterAll(async () => {
    await checkpoint.close();
    built[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  test.each(conformance)("$name", ({ run }) => run(context));
});
