import { execFile } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Case, Measurement, Side } from "../case.ts";
import { makeCheckpoint } from "./sparse-checkpoint.ts";

const script = fileURLToPath(new URL("./export-process.ts", import.meta.url));
const run = promisify(execFile);

const STARCODER = {
  model_type: "gpt_bigcode",
  n_embd: 6144,
  n_head: 48,
  n_inner: 24_576,
  n_layer: 40,
  n_positions: 8192,
  vocab_size: 49_152,
};

const LLAMA_70B = {
  model_type: "llama",
  hidden_size: 8192,
  intermediate_size: 28_672,
  num_hidden_layers: 80,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  vocab_size: 32_000,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  hidden_act: "silu",
};

const LLAMA_1B = {
  ...LLAMA_70B,
  hidden_size: 2048,
  intermediate_size: 5632,
  num_hidden_layers: 22,
  num_attention_heads: 32,
  num_key_value_heads: 4,
};

/** A checkpoint in a folder of its own, gone afterwards; each round exports into an empty folder. */
function checkpointSide(
  name: string,
  detail: string,
  make: (folder: string) => void,
  measure: (checkpoint: string, out: string) => Promise<Measurement>,
): Side {
  let folder = "";
  return {
    name,
    detail,
    prepare: async () => {
      folder = await mkdtemp(join(tmpdir(), "bench-export-"));
      make(join(folder, "checkpoint"));
    },
    run: async () => {
      const out = join(folder, "out");
      try {
        return await measure(join(folder, "checkpoint"), out);
      } finally {
        rmSync(out, { recursive: true, force: true });
      }
    },
    close: async () => {
      if (existsSync(folder)) rmSync(folder, { recursive: true });
    },
  };
}

async function exported(checkpoint: string, out: string, ...args: string[]): Promise<Measurement> {
  const { stdout } = await run(process.execPath, [script, checkpoint, out, ...args]);
  return JSON.parse(stdout);
}

const sparse = (name: string, detail: string, config: Record<string, unknown>) =>
  checkpointSide(name, detail, (folder) => makeCheckpoint(folder, config, "sparse"), exported);

/** Standard ONNX of a checkpoint far larger than the memory, by reference. Memory is over an empty process. */
function large(name: string, limits: { readonly seconds: number; readonly resident: number }, side: Side): Case {
  return {
    name,
    title: `Export of ${side.name} in fp16, weights by reference`,
    metrics: [
      { key: "seconds", unit: "s", better: "lower", limit: limits.seconds },
      { key: "resident", unit: "MB", better: "lower", limit: limits.resident },
      { key: "anonymous", unit: "MB", better: "lower" },
      { key: "mapped", unit: "MB", better: "lower" },
      { key: "written", unit: "MB", better: "lower", limit: 20 },
    ],
    rounds: 5,
    baseline: side.name,
    sides: async () => [side],
  };
}

export const export15B: Case = large(
  "export-15b",
  { seconds: 5, resident: 250 },
  sparse("StarCoder 15B", "40 blocks, a sparse file", STARCODER),
);

export const export70B: Case = large(
  "export-70b",
  { seconds: 10, resident: 300 },
  sparse("Llama 70B", "80 blocks, a sparse file", LLAMA_70B),
);

/** The disk's own speed: what any export that must write every byte can at best reach. */
async function copied(checkpoint: string, out: string): Promise<Measurement> {
  const start = performance.now();
  await run("sh", [
    "-c",
    'mkdir "$2" && cat "$1/model.safetensors" > "$2/copy" && sync "$2/copy"',
    "sh",
    checkpoint,
    out,
  ]);
  const seconds = (performance.now() - start) / 1000;
  const { stdout } = await run("stat", ["-c", "%s", join(out, "copy")]);
  return { seconds, speed: Number(stdout) / 1e6 / seconds, resident: 0 };
}

const dense = (folder: string) => makeCheckpoint(folder, LLAMA_1B, "dense");

export const exportConvert: Case = {
  name: "export-convert",
  title: "Export of a dense 1.1B bf16 checkpoint as fp16: every byte is converted",
  metrics: [
    { key: "speed", unit: "MB/s", better: "higher", bar: 0.7 },
    { key: "seconds", unit: "s", better: "lower" },
    { key: "resident", unit: "MB", better: "lower", limit: 400 },
  ],
  rounds: 5,
  baseline: "copy",
  sides: async () => [
    checkpointSide("export", "to disk, synced", dense, (checkpoint, out) => exported(checkpoint, out, "fp16")),
    checkpointSide("copy", "cat and sync of the same bytes", dense, copied),
  ],
};
