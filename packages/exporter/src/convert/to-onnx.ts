import type { Dialect, Graph, Op, Value } from "@llm/core-ir";
import { irVersionOf, ONNX_DOMAIN } from "../model/ir-version.ts";
import type { OnnxFunction, OnnxInitializer, OnnxModel, OnnxValue } from "../model/onnx-model.ts";
import { dropUnread } from "./drop-unread.ts";
import type { Emitter, EmitterTable } from "./emission.ts";
import { lowerForOnnx } from "./lower.ts";
import { ModelBuilder } from "./model-builder.ts";
import { nativeOps } from "./native.ts";
import { primitiveEmitters } from "./primitive/index.ts";
import type { Storage } from "./storage.ts";
import { storedTransposed } from "./transposed.ts";
import { emitWeight } from "./weight.ts";

/** How a graph is said in ONNX. */
export interface ToOnnxOptions {
  /** Version of ONNX's own ops, 17 unless said: what every runtime of the last years takes. */
  readonly opset?: number;
  /** Emitters of other dialects' ops, and better ones for those that have one already. */
  readonly emitters?: EmitterTable;
  /** Where those ops are defined, for lowering what has no emitter. */
  readonly dialects?: readonly Dialect[];
  /** Versions of the other domains those emitters write. */
  readonly domains?: Readonly<Record<string, number>>;
  /** Ops those emitters write that the file itself defines. */
  readonly functions?: readonly OnnxFunction[];
  /** Weights that stay as they are stored because the model does the last step: see `storageOf`. */
  readonly storage?: Storage;
  /** Names in the file of values whose ids it should not show. */
  readonly names?: Readonly<Record<string, string>>;
  /** Version of the program that makes the model. */
  readonly producerVersion?: string;
  /** Key-value pairs that travel with the file: the checkpoint's fingerprint, its licence, … */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Says a graph in ONNX; ops that neither ONNX nor an emitter has are lowered first. States become an input and an output each: what keeps them on a device is the session's matter.
 *
 * @throws ExportError `unsupported-op` for an op that can't be said, by name
 */
export function toOnnx(from: Graph, options: ToOnnxOptions = {}): OnnxModel {
  const { opset = 17, emitters = {}, dialects = [] } = options;
  const opsets = { ...options.domains, [ONNX_DOMAIN]: opset };
  irVersionOf(opsets); // refuses an opset that can't be written before anything is done
  const graph = lowerForOnnx(from, { opset, emitters, dialects });
  const transposed = storedTransposed(graph, ({ kind }) => !Object.hasOwn(emitters, kind));
  const onnx = new ModelBuilder(graph, { opset, names: options.names ?? {}, transposed });
  const weights = graph.weights.flatMap((weight) => {
    const { id } = weight.value;
    return emitWeight(weight, { turned: transposed.get(id), stored: options.storage?.get(id) }, onnx);
  });
  for (const op of graph.ops) {
    onnx.at(op.outs[0]);
    emitterOf(op, emitters)({ ...op, names: op.ins.map((value) => onnx.name(value)) }, onnx);
  }

  const inputs = [...graph.inputs, ...graph.states.map(({ value }) => value)];
  const outputs = outputsOf(graph, onnx);
  const value = (from: Value): OnnxValue => ({ name: onnx.name(from), ...from.type });
  return {
    name: graph.name,
    opsets,
    inputs: inputs.map(value),
    outputs,
    ...dropUnread(onnx.nodeList, [...weights, ...constantsOf(graph, onnx), ...onnx.constants], outputs),
    ...(options.functions === undefined ? {} : { functions: options.functions }),
    ...(options.producerVersion === undefined ? {} : { producerVersion: options.producerVersion }),
    ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
  };
}

/** A target's own emitter comes before ours. */
function emitterOf({ kind }: Op, emitters: EmitterTable): Emitter {
  if (Object.hasOwn(emitters, kind)) return emitters[kind];
  return Object.hasOwn(primitiveEmitters, kind) ? primitiveEmitters[kind] : nativeOps[kind].emit;
}

/** An output needs a node that makes it and a name of its own; one that passes an input on, or comes twice, gets both. */
function outputsOf(graph: Graph, onnx: ModelBuilder): OnnxValue[] {
  const made = new Set(graph.ops.flatMap(({ outs }) => outs.map(({ id }) => id)));
  return [...graph.outputs, ...graph.states.map(({ next }) => next)].map((value) => {
    const name = made.delete(value.id) ? onnx.name(value) : onnx.node("Identity", [onnx.name(value)]);
    return { name, ...value.type };
  });
}

function constantsOf(graph: Graph, onnx: ModelBuilder): OnnxInitializer[] {
  return graph.constants.map(({ value, data }) => ({ name: onnx.name(value), tensor: data }));
}
