import { type Graph, GraphError, type Value } from "@llm/core-ir";
import { quote } from "./attr.ts";
import { type EmittedOp, emitters } from "./emitters.ts";
import { type TopArray, TopWriter, tensorType } from "./top-writer.ts";

/** A net as the vendor's compiler takes it: text, and the arrays that its weights are. */
export interface TopModule {
  readonly text: string;
  readonly arrays: readonly TopArray[];
}

export interface ToTopOptions {
  readonly name: string;
  /** The file of arrays, beside the text. */
  readonly weightFile: string;
  /** What inputs and outputs are called, in order; states come after inputs, what becomes of them after outputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Writes a lowered graph of known sizes as a TOP module. */
export function toTop(graph: Graph, { name, weightFile, inputs, outputs }: ToTopOptions): TopModule {
  const top = new TopWriter(graph);
  const given = [...graph.inputs, ...graph.states.map(({ value }) => value)];
  const made = [...graph.outputs, ...graph.states.map(({ next }) => next)];
  const locs = new Map(made.map(({ id }, i) => [id, outputs[i]!]));
  const parameters = given.map((value, i) => {
    const element = value.type.dtype === "i32" ? "si32" : "f32";
    const ref = top.input(inputs[i]!, `%arg${i}`, sizes(value), element);
    if (element === "si32") top.setIndex(value, ref);
    else top.set(value, ref);
    return `%arg${i}: ${tensorType(sizes(value), element)}`;
  });
  // First of all, so that both nets of a block have their tables in one order.
  for (const value of given) if (isCalculatedWith(graph, value)) top.ref(value);
  for (const op of graph.ops) {
    const [first] = op.outs as [Value];
    const emitted: EmittedOp = { ...op, loc: locs.get(first.id) ?? first.id, shape: sizes(first) };
    const refs = emitters[op.kind]!.emit(emitted, top);
    op.outs.forEach((out, i) => {
      const ref = refs[i];
      if (ref) top.set(out, ref);
    });
  }
  const results = made.map((value) => top.ref(value));
  const types = results.map(({ type }) => type);
  const attributes = [
    'module.chip = "ALL"',
    'module.platform = "ONNX"',
    'module.state = "TOP_F32"',
    'module.top_run_mode = "STATIC"',
    `module.weight_file = ${quote(weightFile)}`,
  ];
  const text = [
    `module @${name} attributes {${attributes.join(", ")}} {`,
    `  func.func @main(${parameters.join(", ")}) -> (${types.join(", ")}) {`,
    ...(top.usesNone ? [`    %none = "top.None"() : () -> none loc("none")`] : []),
    ...top.lines,
    `    return ${results.map((ref) => ref.name).join(", ")} : ${types.join(", ")}`,
    "  }",
    "}",
    "",
  ].join("\n");
  return { text, arrays: top.arrays };
}

/** Ops that an integer is an index for. */
const LOOK_UP = ["embed", "gather", "clip"];

function isCalculatedWith({ ops }: Graph, { id, type }: Value): boolean {
  if (type.dtype !== "i32") return false;
  return ops.some(({ kind, ins }) => !LOOK_UP.includes(kind) && ins.some((value) => value?.id === id));
}

function sizes({ id, type }: Value): readonly number[] {
  const open = type.shape.find((dim) => typeof dim !== "number");
  if (open !== undefined) throw new GraphError("unsupported", `${id}: ${open} has no size; run specialise before it`);
  return type.shape as readonly number[];
}
