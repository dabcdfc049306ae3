import { encodeBy, type WeightExpr } from "@llm/tensor";
import type { Graph, Op, Value } from "../graph.ts";
import { graphPass } from "../pass.ts";
import { boolean, format, integer, list, optional, record, schema, text, texts } from "../schema.ts";

/** Which operand of an op is a matrix worth quantising. */
const MATRICES: Readonly<Record<string, readonly number[]>> = { linear: [1], experts: [3, 4, 5] };

/** The operands of an op that are matrices worth quantising. */
export function matricesOf({ kind, ins }: Op): readonly Value[] {
  return (MATRICES[kind] ?? []).flatMap((at) => ins[at] ?? []);
}

const encoding = { format: optional(format), group: optional(integer(1)), symmetric: optional(boolean) };

/** Says in which format weights are kept. Read as floats that is emulation; read packed, the device's bytes. */
export const quantise = graphPass({
  name: "quantise",
  doc: "Marks the weights of linears and experts, and on request embeddings, as encoded in a format.",
  params: schema({
    ...encoding,
    /** Formats for tensors by name, first match first (`*` stands for anything); without one, they are left as they are. */
    rules: optional(list(record({ match: text, ...encoding }))),
    /** Embedding tables too, which a tied head shares. */
    embed: optional(boolean),
    /** Blocks that keep their weights as they are, such as lm_head. */
    except: optional(texts),
  }),
  run(graph, { rules = [], embed = false, except = [], ...spec }) {
    const all = [...rules, { match: "*", ...spec }].map(({ match, format: name, ...options }) => ({
      match,
      format: name === undefined ? null : { format: name, ...options },
    }));
    const chosen = matrices(graph, embed, except);
    const encode = (value: Value, of: WeightExpr): WeightExpr => (chosen.has(value.id) ? encodeBy(all, of) : of);
    return { ...graph, weights: graph.weights.map(({ value, expr }) => ({ value, expr: encode(value, expr) })) };
  },
});

/** Ids of the weights that are matrices of chosen ops, less those that an excepted block or an unquantised table uses too. */
function matrices(graph: Graph, embed: boolean, except: readonly string[]): Set<string> {
  const spared = graph.blocks.filter(({ name }) => except.includes(name));
  const chosen = new Set<string>();
  const kept = new Set<string>();
  graph.ops.forEach((op, at) => {
    const isSpared = spared.some(({ from, to }) => at >= from && at < to);
    const worth = op.kind === "embed" && embed ? op.ins.slice(0, 1) : matricesOf(op);
    for (const value of op.ins) if (value) (worth.includes(value) && !isSpared ? chosen : kept).add(value.id);
  });
  return chosen.difference(kept);
}
