import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { corePasses, programOf, runPipeline } from "@llm/core-ir";
import { architectureFor, Config } from "@llm/models";
import { buildArtefact } from "@llm/target/engine";
import { cpuTarget } from "@llm/target-cpu";
import { makeCheckpoint } from "./sparse-checkpoint.ts";

/** Large enough that a step is work, and with a cache whose copying would show: 8 key heads in each of 4 layers. */
const CONFIG = {
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

/** A model of random weights, exported for the CPU in 4 bits; gives the file and the folder to remove. */
export async function cpuModel(): Promise<{ readonly file: string; readonly folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), "llm-bench-"));
  const checkpointFolder = join(folder, "checkpoint");
  makeCheckpoint(checkpointFolder, CONFIG, "dense");
  const options = { format: "int4", batchSize: 1, ctxLen: 0, threads: 0 } as const;
  const graph = architectureFor(CONFIG).build(new Config(CONFIG));
  const program = runPipeline(programOf(graph), cpuTarget.pipeline(graph, options), {
    passes: [...corePasses, ...(cpuTarget.passes ?? [])],
    dialects: cpuTarget.dialects,
  });
  const checkpoint = await openCheckpoint(checkpointFolder);
  try {
    const { artefact } = await buildArtefact({
      target: cpuTarget,
      program,
      options,
      source: checkpoint.weights,
      model: {
        name: "bench",
        architecture: "llama",
        vocab: 8192,
        width: 1024,
        blocks: 4,
        context: 8192,
        parameters: 0,
      },
      folder: join(folder, "artefact"),
      cacheDir: join(folder, "cache"),
    });
    return { file: join(artefact.folder, "decoder.onnx"), folder };
  } finally {
    await checkpoint.close();
  }
}
