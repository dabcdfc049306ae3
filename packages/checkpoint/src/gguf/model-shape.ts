import { MAX_BLOCKS, MAX_HEADS } from "../limits.ts";
import type { ModelShape } from "./architecture.ts";
import type { Metadata } from "./metadata.ts";
import { ropeScaling } from "./rope-scaling.ts";

/** Reads what most architectures say in the same way. */
export async function modelShape(metadata: Metadata): Promise<ModelShape> {
  const has = (tensor: string) => metadata.tensors.has(tensor);
  const blocks = metadata.required("{arch}.block_count");
  const width = metadata.required("{arch}.embedding_length");
  const heads = (await metadata.uniform("{arch}.attention.head_count")) ?? 0;
  if (!(heads > 0)) throw metadata.error(`has no ${metadata.architecture}.attention.head_count`);
  const kvHeads = (await metadata.uniform("{arch}.attention.head_count_kv")) ?? heads;
  const headDim = metadata.number("{arch}.attention.key_length") ?? width / heads;
  const embedding = metadata.tensors.get("token_embd.weight");
  const vocab = embedding?.shape[0] ?? metadata.required("{arch}.vocab_size");
  for (const [what, value] of Object.entries({ blocks, width, heads, kvHeads, headDim, vocab }))
    if (!Number.isInteger(value) || value <= 0) throw metadata.error(`its number of ${what}, ${value}, makes no sense`);
  if (blocks > MAX_BLOCKS || heads > MAX_HEADS || kvHeads > MAX_HEADS)
    throw metadata.error(`its ${blocks} blocks of ${heads} heads make no sense`);
  const context = metadata.required("{arch}.context_length");
  if (metadata.flag("{arch}.attention.causal") === false)
    throw metadata.error("attends to what follows as well (attention.causal is false): it doesn't write texts");
  const rmsEps = metadata.number("{arch}.attention.layer_norm_rms_epsilon");
  const layerEps = metadata.number("{arch}.attention.layer_norm_epsilon");
  return {
    blocks,
    width,
    inner: (await metadata.uniform("{arch}.feed_forward_length")) ?? 0,
    heads,
    kvHeads,
    headDim,
    vocab,
    context,
    ropeDims: metadata.number("{arch}.rope.dimension_count") ?? headDim,
    ropeTheta: metadata.number("{arch}.rope.freq_base") ?? 10_000,
    ropeScaling: await ropeScaling(metadata, context),
    normEps: rmsEps ?? layerEps ?? 1e-5,
    // A head of its own is stored; one that is the embedding isn't.
    tied: !has("output.weight"),
    has,
  };
}
