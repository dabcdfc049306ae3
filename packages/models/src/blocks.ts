import type { Graph, Value } from "@llm/core-ir";
import type { Part } from "./attention.ts";
import { Decoder, type NormLayout } from "./decoder.ts";
import type { Shape } from "./shape.ts";

/** A norm of the stream by name. */
export type Norm = (d: Decoder, x: Value, name: string) => Value;

/** One block of the decoder: stream in, stream out; `layer` is its prefix, "layers.3". */
export type BlockPart = (d: Decoder, x: Value, layer: string, index: number) => Value;

export interface Halves {
  readonly norm: Norm;
  readonly attention: Part;
  readonly mlp: Part;
  readonly names?: {
    readonly before: string;
    readonly between: string;
    readonly attention: string;
    readonly mlp: string;
  };
  /** Factor on what each half adds to the stream. */
  readonly residual?: number;
}

const NAMES = { before: "input_layernorm", between: "post_attention_layernorm", attention: "self_attn", mlp: "mlp" };

/** x + attention(norm(x)), then the same with the MLP. */
export function preNorm({ norm, attention, mlp, names = NAMES, residual = 1 }: Halves): BlockPart {
  return (d, x, layer, index) => {
    const attended = attention(d, norm(d, x, `${layer}.${names.before}`), `${layer}.${names.attention}`, index);
    const middle = d.b.add(x, d.b.scale(attended, residual));
    const made = mlp(d, norm(d, middle, `${layer}.${names.between}`), `${layer}.${names.mlp}`, index);
    return d.b.add(middle, d.b.scale(made, residual));
  };
}

/** x + attention(norm(x)) + mlp(norm(x)), one norm for both. */
export function parallel({ norm, attention, mlp, names = NAMES }: Halves): BlockPart {
  return (d, x, layer, index) => {
    const normed = norm(d, x, `${layer}.${names.before}`);
    const attended = attention(d, normed, `${layer}.${names.attention}`, index);
    return d.b.add(d.b.add(x, attended), mlp(d, normed, `${layer}.${names.mlp}`, index));
  };
}

/** x + norm(attention(x)), then the same with the MLP. */
export function postNorm({ norm, attention, mlp }: Halves): BlockPart {
  return (d, x, layer, index) => {
    const attended = norm(d, attention(d, x, `${layer}.self_attn`, index), `${layer}.post_attention_layernorm`);
    const middle = d.b.add(x, attended);
    return d.b.add(middle, norm(d, mlp(d, middle, `${layer}.mlp`, index), `${layer}.post_feedforward_layernorm`));
  };
}

/** Gemma's names for the norms around each half. */
export const GEMMA_NORMS = {
  before: "input_layernorm",
  after: "post_attention_layernorm",
  beforeMlp: "pre_feedforward_layernorm",
  afterMlp: "post_feedforward_layernorm",
};

/** A norm before and after each half. */
export function sandwich(
  { norm, attention, mlp }: Halves,
  names: { readonly before: string; readonly after: string; readonly beforeMlp: string; readonly afterMlp: string },
): BlockPart {
  return (d, x, layer, index) => {
    const attended = attention(d, norm(d, x, `${layer}.${names.before}`), `${layer}.self_attn`, index);
    const middle = d.b.add(x, norm(d, attended, `${layer}.${names.after}`));
    const made = mlp(d, norm(d, middle, `${layer}.${names.beforeMlp}`), `${layer}.mlp`, index);
    return d.b.add(middle, norm(d, made, `${layer}.${names.afterMlp}`));
  };
}

export interface Standard {
  readonly name: string;
  readonly shape: Shape;
  readonly tied: boolean;
  readonly headBias?: boolean;
  readonly prefixes?: readonly string[];
  readonly block: BlockPart;
  /** The norm before the head. */
  readonly last: Norm;
  /** On the embedding; on the logits. */
  readonly embedded?: (d: Decoder, x: Value) => Value;
  readonly logits?: (d: Decoder, x: Value) => Value;
}

/** A decoder under the names that Llama gave its parts: `model.embed_tokens`, `model.layers.N`, `model.norm`, `lm_head`. */
export function standardDecoder({ name, shape, block, last, embedded, logits, ...rest }: Standard): Graph {
  const { width, vocab } = shape;
  const d = new Decoder({ name, context: shape.context, prefixes: rest.prefixes ?? ["model."] });
  const table = "embed_tokens.weight";
  const start = d.embedding(() => {
    const x = d.embed(d.ids, table, vocab, width);
    return embedded ? embedded(d, x) : x;
  });
  const stream = d.blocks(shape.layers, start, (index, x) => block(d, x, `layers.${index}`, index));
  return d.head(stream, (rows) => {
    const made = d.logits(last(d, rows, "norm"), width, vocab, {
      table: rest.tied ? table : undefined,
      bias: rest.headBias,
    });
    return logits ? logits(d, made) : made;
  });
}

/** RMS norm over the stream. */
export function rms(width: number, eps: number, options: { readonly plusOne?: boolean } = {}): Norm {
  return (d, x, name) => d.rmsNorm(x, name, width, eps, options);
}

/** Layer norm over the stream. */
export function layer(width: number, eps: number, options: NormLayout = {}): Norm {
  return (d, x, name) => d.layerNorm(x, name, width, eps, options);
}
