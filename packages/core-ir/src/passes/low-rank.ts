import type { WeightExpr } from "@llm/tensor";
import type { Builder } from "../builder.ts";
import { GraphError } from "../error.ts";
import type { Graph, Op, Value } from "../graph.ts";
import { graphPass, noParams } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";

/** Which of the stacked matrices each row takes. */
export const ADAPTERS_INPUT = "adapters";

const FIRST = ".lora_a";
const SECOND = ".lora_b";
const MANY = 2 ** 31 - 1;

/** The two inputs that a stored matrix's low-rank sum is made of: (adapters, in, rank) and (adapters, rank, out). */
export interface LowRankInputs {
  /** The tensor's name in the checkpoint. */
  readonly tensor: string;
  readonly first: string;
  readonly second: string;
}

/** Those of a graph's or a model's inputs that belong to low-rank sums, by tensor. */
export function lowRankInputs(names: Iterable<string>): readonly LowRankInputs[] {
  return [...names]
    .filter((name) => name.endsWith(FIRST))
    .map((first) => {
      const tensor = first.slice(0, -FIRST.length);
      return { tensor, first, second: tensor + SECOND };
    });
}

/** x · a · b beside x · wᵀ: weights stay as they are, packed ones too, and rows of one step may take different sums. */
export const lowRank = graphPass({
  name: "low-rank",
  doc: "Adds a low-rank product to the linears of stored matrices, of matrices that are inputs and that each row chooses: LoRA at run time.",
  params: noParams,
  run: addSums,
});

function addSums(graph: Graph): Graph {
  const positions = graph.inputs.find(({ id }) => id === "positions");
  if (positions?.type.shape.length !== 2)
    throw new GraphError(
      "unsupported",
      `${graph.name} doesn't come as rows, which adapters are chosen by: pad comes first`,
    );
  const [batch, seq] = positions.type.shape;
  const stored = new Map(graph.weights.map(({ value, expr }) => [value.id, matrixOf(expr)]));
  const inputs = new Map<string, readonly [Value, Value]>();
  let chosen: Value;
  return rewriteGraph(graph, {
    start(b) {
      chosen = b.input(ADAPTERS_INPUT, "i32", [batch!]);
    },
    op(op, b) {
      const tensor = op.kind === "linear" ? stored.get(op.ins[1]!.id) : undefined;
      const [x, w] = op.ins;
      const lead = x?.type.shape.slice(0, -1);
      // A head sees picked tokens instead of rows.
      if (tensor === undefined || lead?.length !== 2 || lead[0] !== batch || lead[1] !== seq) return undefined;
      let pair = inputs.get(tensor);
      if (!pair) inputs.set(tensor, (pair = matrices(b, tensor, w!, inputs.size)));
      return [sum(b, op, pair, chosen)];
    },
  });
}

function matrices(b: Builder, tensor: string, w: Value, index: number): readonly [Value, Value] {
  const [to, from] = w.type.shape as readonly [number, number];
  const count = b.dim("adapters", { min: 1, max: MANY });
  const rank = b.dim(`rank_${index}`, { min: 0, max: MANY });
  return [b.input(tensor + FIRST, "f32", [count, from, rank]), b.input(tensor + SECOND, "f32", [count, rank, to])];
}

function sum(b: Builder, op: Op, [first, second]: readonly [Value, Value], chosen: Value): Value {
  const [x, w, bias = null] = op.ins as readonly [Value, Value, (Value | null)?];
  const narrow = b.matmul(x, b.gather(first, chosen)); // (batch, seq, rank)
  return b.add(b.linear(x, w, bias), b.matmul(narrow, b.gather(second, chosen)));
}

/** The stored matrix that a weight is, as it lies or transposed, in whichever format; undefined for parts and sums of several. */
function matrixOf(expr: WeightExpr): string | undefined {
  if (expr.op === "encode" || (expr.op === "permute" && expr.perm.join() === "1,0")) return matrixOf(expr.of);
  if (expr.op === "either") return matrixOf(expr.of[0]!);
  return expr.op === "tensor" && expr.shape.length === 2 ? expr.name : undefined;
}
