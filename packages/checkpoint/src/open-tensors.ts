import { basename, dirname, resolve } from "node:path";
import { CheckpointError } from "./error.ts";
import { openWeightFiles } from "./shards.ts";
import type { StoredWeights } from "./stored-weights.ts";
import { tensorReaderFor } from "./weight-layouts.ts";

/**
 * The tensors of one safetensors or PyTorch file, with no config beside it: dumps of another implementation, adapters. The caller
 * closes it.
 *
 * @example
 * const tensors = await openTensorFile("dump.safetensors");
 * tensors.get("logits")?.shape;
 * await tensors.close();
 */
export async function openTensorFile(path: string): Promise<StoredWeights> {
  const file = resolve(path);
  const read = tensorReaderFor(basename(file));
  if (!read) throw new CheckpointError("not-a-checkpoint", "is neither a safetensors nor a PyTorch file", { file });
  return openWeightFiles(dirname(file), [basename(file)], read);
}
