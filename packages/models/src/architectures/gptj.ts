import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { type Part, selfAttention } from "../attention.ts";
import { layer, parallel } from "../blocks.ts";
import type { Config } from "../config.ts";
import { Decoder } from "../decoder.ts";
import { CAUSAL_MASKS, COMMON_IGNORED, GPT2_IGNORED, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { inverseFrequencies, type Rope } from "../rope.ts";
import { headDim } from "../shape.ts";

interface Sizes {
  readonly width: number;
  readonly heads: number;
  readonly dim: number;
  readonly rope: Rope;
}

/** GPT-J and CodeGen but for their projections: one norm for both halves, neighbouring pairs rotated, a head with a bias. */
function build(config: Config, name: string, attention: (sizes: Sizes) => Part) {
  const width = config.size(["n_embd", "hidden_size"]);
  const heads = config.size(["n_head", "num_attention_heads"]);
  const context = config.size(["n_positions", "max_position_embeddings"], 2048);
  const vocab = config.size("vocab_size");
  const dim = headDim(config, width, heads);
  const dims = config.sizeOrNone("rotary_dim", 64) ?? dim;
  const norm = layer(width, config.positive("layer_norm_epsilon", 1e-5));
  const tied = config.bool("tie_word_embeddings", false);
  const block = parallel({
    norm,
    names: { before: "ln_1", between: "", attention: "attn", mlp: "mlp" },
    attention: attention({ width, heads, dim, rope: { dims, freqs: inverseFrequencies(10_000, dims) } }),
    mlp: plainMlp(
      {
        width,
        inner: config.size("n_inner", 4 * width),
        fn: readActivation(config, "activation_function", "gelu_new"),
        bias: true,
      },
      { up: "fc_in", down: "fc_out" },
    ),
  });
  const d = new Decoder({ name, context, prefixes: ["transformer.", ""] });
  const start = d.embedding(() => d.embed(d.ids, "wte.weight", vocab, width));
  const stream = d.blocks(config.count(["n_layer", "num_hidden_layers"]), start, (index, x) =>
    block(d, x, `h.${index}`, index),
  );
  const table = tied ? "wte.weight" : undefined;
  return d.head(stream, (rows) => d.logits(norm(d, rows, "ln_f"), width, vocab, { table, bias: true }));
}

const ALWAYS_SCALED = { scale_attn_weights: "the published class always scales" };

export const gptj: Architecture = {
  id: "gptj",
  title: "GPT-J",
  modelTypes: ["gptj"],
  classNames: ["GPTJForCausalLM"],
  harmless: [TIED_HEAD, CAUSAL_MASKS],
  ignored: { ...COMMON_IGNORED, ...GPT2_IGNORED, ...ALWAYS_SCALED, rotary: "the published class always rotates" },
  build: (config) =>
    build(config, "gptj", ({ width, heads, dim, rope }) =>
      selfAttention({
        shape: { width, heads, groups: heads, dim },
        rope,
        pairs: "interleaved",
        names: { q: "q_proj", k: "k_proj", v: "v_proj", out: "out_proj" },
      }),
    ),
};

/** The fused projection was cut for this many devices: each cut holds its heads' q, then v, then k. */
const CUTS = 4;

export const codegen: Architecture = {
  id: "codegen",
  title: "CodeGen",
  modelTypes: ["codegen"],
  classNames: ["CodeGenForCausalLM"],
  harmless: [TIED_HEAD, CAUSAL_MASKS],
  ignored: { ...COMMON_IGNORED, ...GPT2_IGNORED, ...ALWAYS_SCALED },
  build: (config) =>
    build(config, "codegen", ({ width, heads, dim, rope }) => {
      config.must(
        `as many heads as ${CUTS} divides`,
        heads % CUTS === 0,
        `${heads} heads don't divide by ${CUTS}, as CodeGen's layout needs`,
      );
      return (d, x, prefix) => {
        const fused = d.b.reshape(d.linear(x, `${prefix}.qkv_proj`, width, 3 * width), [CUTS, 3, width / CUTS], 1);
        const [q, v, k] = d.b.split(fused, [1, 1, 1], -2).map((part) => d.b.reshape(part, [heads, dim], 3));
        const turn = (part: typeof q) => d.rotary(part, rope, "interleaved");
        return d.linear(
          d.attention(turn(q), turn(k), v, { scale: 1 / Math.sqrt(dim) }),
          `${prefix}.out_proj`,
          width,
          width,
        );
      };
    }),
};
