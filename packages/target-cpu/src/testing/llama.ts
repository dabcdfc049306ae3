import type { Graph } from "@llm/core-ir";
import { architectureFor, Config } from "@llm/models";

/** Llama of a size: about 12 · blocks · width² weights. */
export function llama(width: number, blocks: number, context: number): Graph {
  const config = {
    model_type: "llama",
    hidden_size: width,
    intermediate_size: 4 * width,
    num_hidden_layers: blocks,
    num_attention_heads: width / 64,
    vocab_size: 1024,
    max_position_embeddings: context,
    rms_norm_eps: 1e-5,
    hidden_act: "silu",
  };
  return architectureFor(config).build(new Config(config));
}
