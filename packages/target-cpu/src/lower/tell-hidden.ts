import { type Graph, graphPass, noParams, type Op, type Pass, rewriteGraph, type Value } from "@llm/core-ir";

/** Which tokens' hidden states are asked for, as `rows` says whose logits are. */
export const READS_INPUT = "reads";
/** What they are called. */
export const HIDDEN_OUTPUT = "hidden";

/** Before anything else: what it adds is lowered like the rest. */
export const tellHidden: Pass = graphPass({
  name: "tell-hidden",
  doc: "Adds an output for what the last block and the norm after it make of the tokens that an input of its own names.",
  params: noParams,
  run: tell,
});

/** The rows that the head sees are picked anew, so that tokens whose states are asked for don't pay for the head. */
function tell(graph: Graph): Graph {
  const pick = graph.ops.find(({ kind, ins }) => kind === "pick" && ins[1]?.id === "rows");
  if (!pick) return graph;
  const norm = onlyNormOf(graph, pick.outs[0]!);
  return rewriteGraph(graph, {
    end(b, map) {
      const reads = b.input(READS_INPUT, "i32", [b.dim("reads", { min: 0, max: 2 ** 31 - 1 })]);
      const picked = b.pick(map(pick.ins[0]!), reads);
      const [, ...weights] = norm?.ins ?? [];
      const operands = [picked, ...weights.map((value) => value && map(value))];
      b.output(norm ? b.op("norm", operands, norm.attrs) : picked, HIDDEN_OUTPUT);
    },
  });
}

/** Some models norm their stream before the rows are picked, or not at all. */
function onlyNormOf(graph: Graph, value: Value): Op | undefined {
  const uses = graph.ops.filter(({ ins }) => ins.some((operand) => operand?.id === value.id));
  return uses.length === 1 && uses[0]!.kind === "norm" ? uses[0] : undefined;
}
