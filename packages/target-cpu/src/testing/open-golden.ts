import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { corePasses, type Graph, type PassStep, programOf, runPipeline } from "@llm/core-ir";
import { goldenDir, readGolden } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import type { Artefact, ModelCard } from "@llm/target";
import { buildArtefact } from "@llm/target/engine";
import { cpuTarget } from "../cpu-target.ts";
import type { CpuOptions } from "../options.ts";

export type ConfigFile = "config.json" | "config.legacy.json";

export const DEFAULTS: CpuOptions = { batchSize: 1, ctxLen: 0, threads: 1 };

/** A golden model as an artefact of this target, built as users build one. */
export interface BuiltGolden {
  readonly graph: Graph;
  readonly artefact: Artefact;
  [Symbol.dispose](): void;
}

export function goldenGraph(name: string, file: ConfigFile = "config.json"): Graph {
  const raw = JSON.parse(readFileSync(`${goldenDir(name)}/${file}`, "utf8"));
  const config = new Config({ ...raw, ...readGolden(name).overrides });
  return architectureFor(config.raw).build(config);
}

/** `first` are passes before the target's own. */
export async function buildGolden(
  name: string,
  file: ConfigFile = "config.json",
  first: readonly PassStep[] = [],
): Promise<BuiltGolden> {
  const graph = goldenGraph(name, file);
  const checkpoint = await openCheckpoint(goldenDir(name));
  const folder = mkdtempSync(join(tmpdir(), "llm-cpu-"));
  try {
    const program = runPipeline(programOf(graph), [...first, ...cpuTarget.pipeline(graph, DEFAULTS)], {
      passes: [...corePasses, ...(cpuTarget.passes ?? [])],
      dialects: cpuTarget.dialects,
    });
    const { artefact } = await buildArtefact({
      target: cpuTarget,
      program,
      options: DEFAULTS,
      source: checkpoint.weights,
      model: cardOf(name, graph),
      folder: join(folder, "artefact"),
      cacheDir: join(folder, "cache"),
    });
    return { graph, artefact, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
  } finally {
    await checkpoint.close();
  }
}

function cardOf(name: string, graph: Graph): ModelCard {
  const { architecture, vocab_size: vocab, num_hidden: blocks } = readGolden(name);
  const embedding = graph.weights.find(({ value }) => value.type.shape[0] === vocab)!;
  const width = embedding.value.type.shape[1] as number;
  return { name, architecture, vocab, width, blocks, context: graph.dims.context!.max, parameters: 0 };
}
