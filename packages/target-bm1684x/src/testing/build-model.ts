import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { corePasses, type Graph, programOf, runPipeline } from "@llm/core-ir";
import type { Artefact, ModelCard } from "@llm/target";
import { type BuildRequest, buildArtefact } from "@llm/target/engine";
import type { WeightSource } from "@llm/tensor";
import { bm1684xTarget } from "../bm1684x-target.ts";
import type { Bm1684xOptions } from "../options.ts";

export interface BuiltModel {
  readonly artefact: Artefact;
  [Symbol.dispose](): void;
}

/** All that the unit engine wants to know to make a model's artefact below `folder`. */
export function requestFor(
  model: { readonly graph: Graph; readonly source: WeightSource },
  options: Bm1684xOptions,
  folder: string,
): BuildRequest<Bm1684xOptions> {
  const program = runPipeline(programOf(model.graph), bm1684xTarget.pipeline(model.graph, options), {
    passes: [...corePasses, ...(bm1684xTarget.passes ?? [])],
  });
  return {
    target: bm1684xTarget,
    program,
    options,
    source: model.source,
    model: cardOf(model.graph),
    folder: join(folder, "artefact"),
    cacheDir: join(folder, "cache"),
  };
}

/** A model's artefact in a folder of its own. */
export async function buildModel(
  model: { readonly graph: Graph; readonly source: WeightSource },
  options: Bm1684xOptions,
): Promise<BuiltModel> {
  const folder = mkdtempSync(join(tmpdir(), "llm-bm1684x-"));
  const dispose = () => rmSync(folder, { recursive: true, force: true });
  try {
    const { artefact } = await buildArtefact(requestFor(model, options, folder));
    return { artefact, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

function cardOf(graph: Graph): ModelCard {
  const logits = graph.outputs.find(({ id }) => id === "logits")!.type.shape;
  const embedding = graph.blocks.find(({ name }) => name === "embedding")!;
  return {
    name: graph.name,
    architecture: graph.name,
    vocab: Number(logits.at(-1)),
    width: Number(graph.ops[embedding.to - 1]!.outs[0]!.type.shape.at(-1)),
    blocks: graph.blocks.filter(({ name }) => /^block_\d+$/.test(name)).length,
    context: graph.dims.context!.max,
    parameters: 0,
  };
}
