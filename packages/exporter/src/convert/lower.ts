import { coreDialects, type Dialect, type Graph, type Op, rewriteGraph } from "@llm/core-ir";
import { ExportError } from "../error.ts";
import type { EmitterTable } from "./emission.ts";
import { nativeOps } from "./native.ts";
import { primitiveEmitters } from "./primitive/index.ts";

/** What may be left in a graph because there is a way to say it. */
export interface Sayable {
  readonly opset: number;
  /** Emitters of a target's own ops. */
  readonly emitters?: EmitterTable;
  /** Dialects those ops come from. */
  readonly dialects?: readonly Dialect[];
}

/** More rounds than any op takes to come down to primitives: a definition that lowers to itself would go on for ever. */
const MAX_ROUNDS = 8;

/** The graph with every op that ONNX can't say in smaller ones; what ONNX has whole stays whole. */
export function lowerForOnnx(graph: Graph, sayable: Sayable): Graph {
  const definitions = new Map([...coreDialects, ...(sayable.dialects ?? [])].flatMap(({ ops }) => Object.entries(ops)));
  let lowered = graph;
  for (let round = 0; lowered.ops.some((op) => !canSay(op, sayable)); round++) {
    if (round === MAX_ROUNDS) throw cannotSay(lowered.ops.find((op) => !canSay(op, sayable))!);
    lowered = rewriteGraph(lowered, {
      ...(sayable.dialects === undefined ? {} : { dialects: sayable.dialects }),
      legal: [...new Set([...lowered.dialects, "primitive"])],
      op(op, builder) {
        if (canSay(op, sayable)) return undefined;
        const definition = definitions.get(op.kind);
        if (definition?.lower === undefined) throw cannotSay(op);
        return definition.lower({ ...op, attrs: definition.attrs.parse(op.attrs) }, builder);
      },
    });
  }
  return lowered;
}

/** Whether an op is written as it is. */
export function canSay(op: Op, { opset, emitters = {} }: Sayable): boolean {
  if (Object.hasOwn(emitters, op.kind) || Object.hasOwn(primitiveEmitters, op.kind)) return true;
  return Object.hasOwn(nativeOps, op.kind) && nativeOps[op.kind].when(op, opset);
}

export function cannotSay(op: Op): ExportError {
  return new ExportError("unsupported-op", `${op.kind} (${op.outs[0]?.id}) can't be said in ONNX, nor in smaller ops`);
}
