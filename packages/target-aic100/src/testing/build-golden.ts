import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { corePasses, type Graph, programOf, runPipeline } from "@llm/core-ir";
import { goldenDir, readGolden, readGoldenConfig } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import type { Artefact, ModelCard } from "@llm/target";
import { type BuildRequest, buildArtefact } from "@llm/target/engine";
import type { WeightSource } from "@llm/tensor";
import { aic100Target } from "../aic100-target.ts";
import { type Aic100Options, defaultOptions } from "../options.ts";

/** What users get who say nothing, but for the emulator in float32. */
export const EMULATED: Aic100Options = {
  ...defaultOptions(),
  emulate: true,
  format: "fp32",
  threads: 1,
};

export interface BuiltGolden {
  readonly graph: Graph;
  readonly artefact: Artefact;
  [Symbol.dispose](): void;
}

/** Options that fit a small model: its context where it is shorter. */
export function fitting(graph: Graph, options: Partial<Aic100Options>): Aic100Options {
  const all = { ...EMULATED, ...options };
  return { ...all, ctxLen: Math.min(all.ctxLen, graph.dims.context!.max) };
}

/** All that the unit engine wants to know to make a golden model's artefact below `folder`. */
export function requestFor(
  name: string,
  graph: Graph,
  source: WeightSource,
  options: Aic100Options,
  folder: string,
): BuildRequest<Aic100Options> {
  const program = runPipeline(programOf(graph), aic100Target.pipeline(graph, options), {
    passes: [...corePasses, ...(aic100Target.passes ?? [])],
    dialects: aic100Target.dialects,
  });
  return {
    target: aic100Target,
    program,
    options,
    source,
    model: cardOf(name, graph),
    folder: join(folder, "artefact"),
    cacheDir: join(folder, "cache"),
  };
}

/** A golden model's artefact in a folder of its own. */
export async function buildGolden(name: string, options: Partial<Aic100Options> = {}): Promise<BuiltGolden> {
  const checkpoint = await openCheckpoint(goldenDir(name));
  const config = new Config(readGoldenConfig(name));
  const graph = architectureFor(config.raw).build(config, (tensor) => checkpoint.weights.get(tensor)?.shape);
  const folder = mkdtempSync(join(tmpdir(), "llm-aic100-"));
  const dispose = () => rmSync(folder, { recursive: true, force: true });
  try {
    const request = requestFor(name, graph, checkpoint.weights, fitting(graph, options), folder);
    const { artefact } = await buildArtefact(request);
    return { graph, artefact, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  } finally {
    await checkpoint.close();
  }
}

export function cardOf(name: string, graph: Graph): ModelCard {
  const { architecture, vocab_size: vocab, num_hidden: blocks } = readGolden(name);
  const embedding = graph.weights.find(({ value }) => value.type.shape[0] === vocab)!;
  const width = embedding.value.type.shape[1] as number;
  return { name, architecture, vocab, width, blocks, context: graph.dims.context!.max, parameters: 0 };
}
