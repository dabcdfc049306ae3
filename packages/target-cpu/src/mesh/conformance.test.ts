import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, openCheckpoint } from "@llm/checkpoint";
import { corePasses, programOf, runPipeline } from "@llm/core-ir";
import { goldenDir } from "@llm/fixtures";
import type { Target } from "@llm/target";
import { type ConformanceContext, conformance } from "@llm/target/conformance";
import { afterAll, beforeAll, test } from "vitest";
import { cpuTarget } from "../cpu-target.ts";
import { type BuiltGolden, buildGolden, cardOf, DEFAULTS } from "../testing/open-golden.ts";
import { goldenReference } from "../testing/reference.ts";

// Two copies of two shards are a session like any other. Each check starts four workers: `pnpm test:mesh`, not always.
const NAME = "gpt_bigcode_mqa";
const options = { ...DEFAULTS, mesh: "2x2", batchSize: 4, ctxLen: 30 };

let built: BuiltGolden;
let checkpoint: Checkpoint;
let folder: string;
let context: ConformanceContext;

beforeAll(async () => {
  built = await buildGolden(NAME, { options });
  checkpoint = await openCheckpoint(goldenDir(NAME));
  folder = mkdtempSync(join(tmpdir(), "llm-cpu-"));
  const { graph, artefact } = built;
  const reference = await goldenReference(NAME, graph, { context: options.ctxLen });
  const target = cpuTarget as Target;
  const program = runPipeline(programOf(graph), target.pipeline(graph, options), {
    passes: [...corePasses, ...(target.passes ?? [])],
    dialects: target.dialects,
  });
  context = {
    open: () => cpuTarget.open(artefact, options),
    oracle: (history) => reference.step([{ slot: 0, at: 0, tokens: history, last: 1 }])[0]!.logits,
    tolerance: 1e-4,
    build: { target, options, graph, program, source: checkpoint.weights, model: cardOf(NAME, graph), folder },
  };
});
afterAll(async () => {
  await checkpoint.close();
  built[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

test.each(conformance)("$name", { timeout: 300_000 }, ({ run }) => run(context));
