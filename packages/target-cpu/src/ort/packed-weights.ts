import type { Op, Value } from "@llm/core-ir";
import type { OnnxInitializer, OnnxModel } from "@llm/exporter";
import { type EncodeSpec, partOf } from "@llm/tensor";

/** Formats of tensor's table that MatMulNBits reads, by bits. */
const FORMATS: Readonly<Record<number, string>> = { 4: "matmulnbits4", 8: "matmulnbits8" };

/** Weights that share a scale: what GGUF's blocks have too, so that those keep their values. */
export const GROUP = 32;

export function packedFormat(bits: number): EncodeSpec {
  return { format: FORMATS[bits]!, group: GROUP, symmetric: true };
}

/** The name of a packed weight's scales. */
export function scalesOf(weight: string): string {
  return `${weight}:scales`;
}

/** Those of an op's weights that are packed. */
export function packedOperands({ kind, ins, attrs }: Op): readonly Value[] {
  const from = { MatMulNBits: 1, GroupedLinear: 2 }[kind];
  if (from === undefined || attrs.bits === undefined) return [];
  return ins.slice(from).filter((value) => value?.type.shape.length === 2) as readonly Value[]; // a bias has one axis
}

/** A model whose packed weights are the parts that MatMulNBits takes: a graph knows them as one. */
export function withPackedWeights(model: OnnxModel): OnnxModel {
  const packed = new Set(model.nodes.flatMap(({ op, inputs }) => (op === "MatMulNBits" ? [inputs[1]!] : [])));
  return {
    ...model,
    initializers: model.initializers.flatMap((one) => (packed.has(one.name) ? partsOf(one) : [one])),
  };
}

function partsOf(initializer: OnnxInitializer): readonly OnnxInitializer[] {
  if (!("weight" in initializer) || initializer.weight.op !== "encode") return [initializer];
  const { name, shape, weight } = initializer;
  return [
    [name, "data"],
    [scalesOf(name), "scales"],
  ].map(([called, part]) => {
    const packing = { ...weight.format, part: part! };
    return { name: called!, ...partOf(shape, packing), weight, packing };
  });
}
