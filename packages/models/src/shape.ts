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

/** Sizes of a config in the keys of Llama and its descendants; `or` has those that published configs may leave out. */
export function readShape(config: Config, or: Partial<Shape> = {}): Shape {
  const width = config.size("hidden_size", or.width);
  const heads = config.size("num_attention_heads", or.heads);
  return checkHeads(config, {
    layers: config.count("num_hidden_layers", or.layers),
    width,
    heads,
    groups: config.size("num_key_value_heads", or.groups ?? heads),
    dim: config.size("head_dim", or.dim ?? Math.floor(width / heads)),
    inner: config.size("intermediate_size", or.inner),
    vocab: config.size("vocab_size", or.vocab),
    context: config.size("max_position_embeddings", or.context ?? 2048),
  });
}

/** Refuses heads that can't share keys and values evenly. */
export function checkHeads<S extends Pick<Shape, "heads" | "groups">>(config: Config, shape: S): S {
  config.must(
    "heads that can share key and value heads evenly",
    shape.heads % shape.groups === 0,
    `${shape.heads} heads can't share ${shape.groups} key and value heads`,
  );
  return shape;
}

/** Size of a head where it follows from the width; a width that doesn't divide is refused. */
export function headDim(config: Config, width: number, heads: number): number {
  config.must("heads that divide the width", width % heads === 0, `${heads} heads don't divide a width of ${width}`);
  return width / heads;
}
