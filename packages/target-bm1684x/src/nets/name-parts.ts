import { type Graph, GraphError, type Move, type Net, type Program, type Value } from "@llm/core-ir";
import { TERM } from "./net-ports.ts";
import { renameValues } from "./rename-values.ts";

/**
 * Parts of ranks under the names that they have on chips: `block_3_part1_chip0` is the second part of block 3, up to its second
 * sum, on the first chip. A part belongs to the block that it ends in: what adds a sum to the stream is in the next one. What only
 * puts logits together is no net: heads say where in the vocabulary theirs begin.
 */
export function nameParts(program: Program, chips: number): Program {
  checkMoves(program);
  const { nets, moves } = withNamedTerms(withSlicedLogits(program));
  const names = new Map<string, string>();
  for (let chip = 0; chip < chips; chip++) {
    const count = new Map<string, number>();
    for (const net of nets.filter(({ rank }) => rank === chip)) {
      checkAttention(net, chips);
      const block = net.graph.blocks.at(-1)!.name;
      const part = count.get(block) ?? 0;
      count.set(block, part + 1);
      names.set(net.id, `${block}${block === HEAD ? "" : `_part${part}`}_chip${chip}`);
    }
  }
  const named = (net: string) => names.get(net)!;
  return {
    nets: nets.map((net) => ({ ...net, id: named(net.id) })),
    moves: moves.map(
      ({ from, to, ...rest }): Move => ({
        ...rest,
        from: { ...from, net: named(from.net) },
        to: { ...to, net: named(to.net) },
      }),
    ),
  };
}

const HEAD = "lm_head";

/** A host adds up what is as wide as the stream; sums of squares would leave the range of the 16 bits in which chips hand them on. */
function checkMoves({ nets, moves }: Program): void {
  const width = nets[0]!.graph.inputs.find(({ type }) => type.dtype === "f32")?.type.shape.at(-1);
  for (const { combine, from, span } of moves) {
    const value = nets.find(({ id }) => id === from.net)!.graph.outputs.find(({ id }) => id === from.output)!;
    if (span || (combine === "sum" && value.type.shape.at(-1) !== width))
      throw new GraphError(
        "unsupported",
        `chips can't share this model's layers: ${value.id} is more than a sum of what they made`,
      );
  }
}

function checkAttention({ graph }: Net, chips: number): void {
  if (graph.ops.filter(({ kind }) => kind === "attention").length > 1)
    throw new GraphError("unsupported", `this model's layers are too small to be shared by ${chips} chips`);
}

/** Terms are called after what they are a term of. */
function withNamedTerms({ nets, moves }: Program): Program {
  const names = new Map<string, string>();
  for (const { from, to, combine } of moves)
    if (combine === "sum") names.set(`${from.net} ${from.output}`, `${to.input}${TERM}`);
  const named = (net: string, output: string) => names.get(`${net} ${output}`) ?? output;
  return {
    nets: nets.map((net) => ({ ...net, graph: renameValues(net.graph, ({ id }) => named(net.id, id)) })),
    moves: moves.map((move) => ({ ...move, from: { ...move.from, output: named(move.from.net, move.from.output) } })),
  };
}

/** Heads with their own part of the logits, and without the nets that put them together. */
function withSlicedLogits({ nets, moves }: Program): Program {
  const joins = moves.filter(({ combine }) => combine === "concat");
  if (joins.length === 0)
    throw new GraphError(
      "unsupported",
      "chips can't share this model's layers: its vocabulary is smaller than they are many",
    );
  const joining = new Set(joins.map(({ to }) => to.net));
  const target = joins[0]!.to;
  for (const net of nets)
    if (joining.has(net.id) && !givesLogits(net.graph))
      throw new GraphError(
        "unsupported",
        `chips can't share this model's layers: ${target.input} has to be put together`,
      );
  const starts = new Map<string, { readonly output: string; readonly start: number }>();
  let start = 0;
  for (const { from } of joins.filter(({ to }) => to.net === target.net)) {
    starts.set(from.net, { output: from.output, start });
    const { graph } = nets.find(({ id }) => id === from.net)!;
    start += Number(graph.outputs.find(({ id }) => id === from.output)!.type.shape.at(-1));
  }
  return {
    nets: nets
      .filter(({ id }) => !joining.has(id))
      .map((net) => {
        const own = starts.get(net.id);
        if (!own) return net;
        const name = ({ id }: Value) => (id === own.output ? `logits.from_${own.start}` : id);
        return { ...net, graph: renameValues(net.graph, name) };
      }),
    moves: moves.filter(({ to }) => !joining.has(to.net)),
  };
}

function givesLogits({ ops, outputs }: Graph): boolean {
  return ops.length === 1 && outputs.length === 1 && outputs[0]!.id === "logits";
}
