import type { Config } from "./config.ts";

/** The sizes that nearly every decoder has, under the keys that most configs use. */
export interface Shape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly groups: number; // key and value heads
  readonly dim: number; // of a head
  readonly inner: number; // of the MLP
  readonly vocab: number;
  readonly context: number;
}

/** Sizes of a config in the keys of Llama and its descendants. */
export function readShape(config: Config, { context = 2048 }: { readonly context?: number } = {}): Shape {
  const width = config.size("hidden_size");
  const heads = config.size("num_attention_heads");
  return checkHeads(config, {
    layers: config.count("num_hidden_layers"),
    width,
    heads,
    groups: config.size("num_key_value_heads", heads),
    dim: config.size("head_dim", Math.floor(width / heads)),
    inner: config.size("intermediate_size"),
    vocab: config.size("vocab_size"),
    context: config.size("max_position_embeddings", context),
  });
}

/** Refuses heads that can't share keys and values evenly. */
export function checkHeads<S extends Pick<Shape, "heads" | "groups">>(config: Config, shape: S): S {
  if (shape.heads % shape.groups !== 0)
    throw config.unsupported(`${shape.heads} heads can't share ${shape.groups} key and value heads`);
  return shape;
}

/** Size of a head where it follows from the width; a width that doesn't divide is refused. */
export function headDim(config: Config, width: number, heads: number): number {
  if (width % heads !== 0) throw config.unsupported(`${heads} heads don't divide a width of ${width}`);
  return width / heads;
}
