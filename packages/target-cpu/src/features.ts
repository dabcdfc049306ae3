import type { Feature } from "@llm/target";

/** What this target does, and on what that was shown. */
export const cpuFeatureTable: readonly Feature[] = [
  {
    name: "float32",
    state: "yes",
    shown: "hardware",
    note: "float32 checkpoints are not copied; halves are widened at export",
  },
  { name: "ragged batches", state: "yes", shown: "hardware" },
  { name: "chunked prefill", state: "yes", shown: "hardware" },
  {
    name: "same numbers in any batch",
    state: "partly",
    shown: "hardware",
    note: "packed linears add in one order; attention and float32 linears compute a single row in another than several, which differs in the last bits",
  },
  { name: "rewind and fork", state: "yes", shown: "hardware", note: "a fork is a copy" },
  {
    name: "4- and 8-bit weights",
    state: "yes",
    shown: "hardware",
    note: "linears and experts; what chooses experts, and latent attention's matrices for each head, stay float32",
  },
  { name: "LoRA adapters chosen by request", state: "yes", shown: "hardware", note: "--adapters; not with a mesh" },
  { name: "meshes", state: "yes", shown: "tests", note: "workers on one machine: copies, shards of a layer, stages" },
];
