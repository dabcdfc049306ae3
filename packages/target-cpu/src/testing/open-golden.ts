import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { corePasses, type Graph, type PassStep, programOf, runPipeline } from "@llm/core-ir";
import { copyGolden, readGolden, readGoldenConfig } from "@llm/fixtures";
import { architectureFor, Config, type TensorShapes } from "@llm/models";
import type { Artefact, ModelCard } from "@llm/target";
import { buildArtefact } from "@llm/target/engine";
import type { WeightSource } from "@llm/tensor";
import { cpuTarget } from "../cpu-target.ts";
import type { CpuOptions } from "../options.ts";

export type ConfigFile = "config.json" | "config.legacy.json";

export const DEFAULTS: CpuOptions = { format: "fp32", batchSize: 1, ctxLen: 0, threads: 1 };

/** A golden model as an artefact of this target, built as users build one. */
export interface BuiltGolden {
  readonly graph: Graph;
  readonly artefact: Artefact;
  [Symbol.dispose](): void;
}

/** The graph of a golden model's config; `shapes` as `openModel` has them, for the one whose config misstates a size. */
export function goldenGraph(name: string, file: ConfigFile = "config.json", shapes?: TensorShapes): Graph {
  const config = new Config(readGoldenConfig(name, file));
  return architectureFor(config.raw).build(config, shapes);
}

export interface BuildOptions {
  readonly file?: ConfigFile;
  /** Passes before the target's own. */
  readonly first?: readonly PassStep[];
  readonly format?: string;
  /** Other options of the target. */
  readonly options?: Partial<CpuOptions>;
  /** Activations stay float32 beside packed weights. */
  readonly exact?: boolean;
}

export async function buildGolden(name: string, build: BuildOptions = {}): Promise<BuiltGolden> {
  const copies = mkdtempSync(join(tmpdir(), "llm-golden-"));
  const remove = () => rmSync(copies, { recursive: true });
  try {
    const checkpoint = await openCheckpoint(copyGolden(name, copies));
    try {
      const graph = goldenGraph(name, build.file, (tensor) => checkpoint.weights.get(tensor)?.shape);
      const built = await buildFrom(checkpoint.weights, graph, cardOf(name, graph), build);
      const dispose = () => {
        built[Symbol.dispose]();
        remove();
      };
      return { ...built, [Symbol.dispose]: dispose };
    } finally {
      await checkpoint.close();
    }
  } catch (error) {
    remove();
    throw error;
  }
}

/** A graph and weights from anywhere. */
export async function buildFrom(
  source: WeightSource,
  graph: Graph,
  model: ModelCard,
  build: Omit<BuildOptions, "file"> = {},
): Promise<BuiltGolden> {
  const { first = [], format = "fp32", exact } = build;
  const options = { ...DEFAULTS, format, ...build.options };
  const steps = cpuTarget
    .pipeline(graph, options)
    .map((step) => (step.params?.bits === undefined ? step : { ...step, params: { ...step.params, exact } }));
  const folder = mkdtempSync(join(tmpdir(), "llm-cpu-"));
  try {
    const program = runPipeline(programOf(graph), [...first, ...steps], {
      passes: [...corePasses, ...(cpuTarget.passes ?? [])],
      dialects: cpuTarget.dialects,
    });
    const { artefact } = await buildArtefact({
      target: cpuTarget,
      program,
      options,
      source,
      model,
      folder: join(folder, "artefact"),
      cacheDir: join(folder, "cache"),
    });
    return { graph, artefact, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
}

export function cardOf(name: string, graph: Graph): ModelCard {
  const { architecture, vocab_size: vocab, num_hidden: blocks } = readGolden(name);
  const stream = graph.ops.find(({ kind }) => kind === "pick")!.ins[0]!;
  const width = stream.type.shape.at(-1) as number;
  return { name, architecture, vocab, width, blocks, context: graph.dims.context!.max, parameters: 0 };
}
