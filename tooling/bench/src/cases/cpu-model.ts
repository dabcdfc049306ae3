import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { corePasses, type PassStep, programOf, runPipeline } from "@llm/core-ir";
import { architectureFor, Config } from "@llm/models";
import type { Artefact } from "@llm/target";
import { buildArtefact } from "@llm/target/engine";
import { cpuTarget } from "@llm/target-cpu";
import { makeCheckpoint } from "./sparse-checkpoint.ts";

/** Large enough that a step is work, and with a cache whose copying would show: 8 key heads in each of 4 layers. */
export const MODEL = {
  model_type: "llama",
  hidden_size: 1024,
  intermediate_size: 2816,
  num_hidden_layers: 4,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  vocab_size: 8192,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  hidden_act: "silu",
};

type ModelConfig = typeof MODEL & Readonly<Record<string, unknown>>;

export interface RandomArtefact {
  readonly format: string;
  readonly adapters?: boolean;
  /** Passes before the target's own. */
  readonly first?: readonly PassStep[];
  /** A folder that has the checkpoint, and the name of the artefact beside it. */
  readonly folder: string;
  readonly name: string;
}

/** A model of random weights, made for the CPU. */
export async function randomArtefact(
  config: ModelConfig,
  { format, adapters = false, first = [], folder, name }: RandomArtefact,
): Promise<Artefact> {
  const options = { format, adapters, batchSize: 1, ctxLen: 0, threads: 0 };
  const graph = architectureFor(config).build(new Config(config));
  const program = runPipeline(programOf(graph), [...first, ...cpuTarget.pipeline(graph, options)], {
    passes: [...corePasses, ...(cpuTarget.passes ?? [])],
    dialects: cpuTarget.dialects,
  });
  const checkpoint = await openCheckpoint(join(folder, "checkpoint"));
  try {
    const { artefact } = await buildArtefact({
      target: cpuTarget,
      program,
      options,
      source: checkpoint.weights,
      model: {
        name: "bench",
        architecture: config.model_type,
        vocab: config.vocab_size,
        width: config.hidden_size,
        blocks: config.num_hidden_layers,
        context: config.max_position_embeddings,
        parameters: 0,
      },
      folder: join(folder, name),
      cacheDir: join(folder, "cache"),
    });
    return artefact;
  } finally {
    await checkpoint.close();
  }
}

/** A folder with a checkpoint of random weights, for the caller to remove. */
export function randomCheckpoint(config: ModelConfig): string {
  const folder = mkdtempSync(join(tmpdir(), "llm-bench-"));
  makeCheckpoint(join(folder, "checkpoint"), config, "dense");
  return folder;
}

/** A model of random weights, exported for the CPU in 4 bits; gives the file and the folder to remove. */
export async function cpuModel(): Promise<{ readonly file: string; readonly folder: string }> {
  const folder = randomCheckpoint(MODEL);
  const artefact = await randomArtefact(MODEL, { format: "int4", folder, name: "artefact" });
  return { file: join(artefact.folder, "decoder.onnx"), folder };
}
