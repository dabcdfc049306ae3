/** `node graph-process.ts starcoder|llama70b`: builds the graph once, cold, and prints what it took. */
const before = process.memoryUsage.rss();
const { checkSpec } = await import("@llm/core-ir");
const { architectureFor, Config } = await import("@llm/models");

const CONFIGS: Readonly<Record<string, Record<string, unknown>>> = {
  starcoder: {
    model_type: "gpt_bigcode",
    n_embd: 6144,
    n_head: 48,
    n_inner: 24_576,
    n_layer: 40,
    n_positions: 8192,
    vocab_size: 49_152,
  },
  llama70b: {
    model_type: "llama",
    hidden_size: 8192,
    intermediate_size: 28_672,
    num_hidden_layers: 80,
    num_attention_heads: 64,
    num_key_value_heads: 8,
    vocab_size: 128_256,
    max_position_embeddings: 8192,
    rope_theta: 500_000,
  },
};

const raw = CONFIGS[process.argv[2]];
const start = performance.now();
const graph = architectureFor(raw).build(new Config(raw));
checkSpec(graph);
const ms = performance.now() - start;
const blocks = graph.blocks.length - 2;
console.log(JSON.stringify({ ms, msPerBlock: ms / blocks, megabytes: (process.memoryUsage.rss() - before) / 1e6 }));
