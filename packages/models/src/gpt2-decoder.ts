import type { Graph } from "@llm/core-ir";
import type { Part } from "./attention.ts";
import { type Norm, preNorm } from "./blocks.ts";
import { Decoder } from "./decoder.ts";

export interface Gpt2Decoder {
  readonly name: string;
  readonly width: number;
  readonly vocab: number;
  readonly context: number;
  readonly layers: number;
  readonly tied: boolean;
  readonly norm: Norm;
  readonly attention: Part;
  readonly mlp: Part;
  /** What the attention's names begin with; "attn" unless said. */
  readonly attentionName?: string;
}

/** A decoder under GPT-2's names: `wte` and learned positions `wpe`, blocks `h.N` with `ln_1` and `ln_2`, then `ln_f`. */
export function gpt2Decoder({
  name,
  width,
  vocab,
  context,
  layers,
  tied,
  norm,
  attention,
  mlp,
  ...rest
}: Gpt2Decoder): Graph {
  const names = { before: "ln_1", between: "ln_2", attention: rest.attentionName ?? "attn", mlp: "mlp" };
  const block = preNorm({ norm, attention, mlp, names });
  const d = new Decoder({ name, context, prefixes: ["transformer.", ""] });
  const start = d.embedding(() =>
    d.b.add(d.embed(d.ids, "wte.weight", vocab, width), d.embed(d.positions, "wpe.weight", context, width)),
  );
  const stream = d.blocks(layers, start, (index, x) => block(d, x, `h.${index}`, index));
  return d.head(stream, (rows) =>
    d.logits(norm(d, rows, "ln_f"), width, vocab, { table: tied ? "wte.weight" : undefined }),
  );
}
