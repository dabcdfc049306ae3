import { type Graph, type Op, rewriteGraph, type Value } from "@llm/core-ir";
import type { WeightExpr } from "@llm/tensor";

/** A model that knows only some tokens, and those of a text by its numbers for them. */
export interface Excerpt {
  readonly graph: Graph;
  readonly ids: Int32Array;
}

/** Rows of the head that are kept: so many runs of so many, spread over the vocabulary. */
const RUNS = 4;
const RUN = 64;

/**
 * The same model with those rows of its embedding that a text needs, and a few hundred of its head's. The two are most of a small
 * model's weights and each row of them is treated alike, so a short check need not widen, write and multiply all of them.
 * Undefined where tokens enter or leave in another way than through one table and one linear.
 */
export function excerptVocabulary(graph: Graph, ids: Int32Array): Excerpt | undefined {
  const weights = new Map(graph.weights.map(({ value, expr }) => [value.id, expr]));
  const input = graph.inputs.find(({ id }) => id === "ids");
  const vocab = graph.outputs.find(({ id }) => id === "logits")?.type.shape.at(-1);
  const lookups = graph.ops.filter(({ ins }) => input !== undefined && ins.some((value) => value?.id === input.id));
  const heads = graph.ops.filter((op) => isHead(op, vocab, weights));
  if (typeof vocab !== "number" || vocab <= RUNS * RUN || heads.length !== 1) return undefined;
  if (!lookups.every(({ kind, ins, attrs }) => kind === "embed" && !attrs.offset && weights.has(ins[0]!.id)))
    return undefined;

  const tokens = [...new Set(ids)].sort((a, b) => a - b);
  const renumbered = new Map(tokens.map((token, at) => [token, at]));
  const rows = (value: Value, runs: readonly Rows[]) => excerptOf(weights.get(value.id)!, runs);
  const single = tokens.map((token) => ({ start: token, end: token + 1 }));
  const lookedUp = new Set(lookups.map(({ outs }) => outs[0]!.id));
  const head = heads[0]!.outs[0]!.id;
  const excerpt = rewriteGraph(graph, {
    op(op, b) {
      const { id } = op.outs[0]!;
      const weight = (value: Value, runs: readonly Rows[]) => b.weight(rows(value, runs), value.type.dtype as "f32");
      if (lookedUp.has(id)) return [b.embed(weight(op.ins[0]!, single), op.ins[1]!)];
      if (id !== head) return undefined;
      const [x, w, bias] = op.ins;
      return [b.linear(x!, weight(w!, spread(vocab)), bias ? weight(bias, spread(vocab)) : null)];
    },
  });
  return { graph: excerpt, ids: ids.map((token) => renumbered.get(token)!) };
}

interface Rows {
  readonly start: number;
  readonly end: number;
}

/** A linear of as many results as there are tokens, by weights that are stored. */
function isHead({ kind, ins, outs }: Op, vocab: unknown, weights: ReadonlyMap<string, WeightExpr>): boolean {
  const [, w, bias] = ins;
  return (
    kind === "linear" &&
    outs[0]!.type.shape.at(-1) === vocab &&
    weights.has(w!.id) &&
    (bias == null || weights.has(bias.id))
  );
}

function spread(vocab: number): readonly Rows[] {
  return Array.from({ length: RUNS }, (_, run) => {
    const start = Math.floor((run * (vocab - RUN)) / (RUNS - 1));
    return { start, end: start + RUN };
  });
}

function excerptOf(of: WeightExpr, runs: readonly Rows[]): WeightExpr {
  const slices = runs.map(({ start, end }): WeightExpr => ({ op: "slice", of, axis: 0, start, end }));
  return slices.length === 1 ? slices[0]! : { op: "concat", of: slices, axis: 0 };
}
