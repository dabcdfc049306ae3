import type { OnnxInitializer, OnnxModel, OnnxNode } from "@llm/exporter";
import { leavesOf, stream, tensor, type WeightExpr, type WeightSource } from "@llm/tensor";

/** fp16's largest number. */
const LARGEST = 65504;

/** A float32 weight of a model. */
type Weight = Extract<OnnxInitializer, { readonly weight: WeightExpr }>;

/**
 * A float32 model for a device that will make halves of it: weights with values outside fp16's range are clipped to it by a
 * node of their own, the others stay as they are. All that could be outside are read once.
 */
export async function clipWideWeights(
  model: OnnxModel,
  source: WeightSource,
  signal?: AbortSignal,
): Promise<OnnxModel> {
  const wide = new Set<string>();
  for (const initializer of model.initializers)
    if ("weight" in initializer && initializer.dtype === "f32" && (await leavesRange(initializer, source, signal)))
      wide.add(initializer.name);
  if (wide.size === 0) return model;
  const bounds = [-LARGEST, LARGEST].map((bound) => ({
    name: `fp16:${bound}`,
    tensor: tensor("f32", [], Float32Array.of(bound)),
  }));
  const clips = [...wide].map(
    (name): OnnxNode => ({
      op: "Clip",
      name: `${name}/Clip`,
      inputs: [stored(name), ...bounds.map((bound) => bound.name)],
      outputs: [name],
    }),
  );
  return {
    ...model,
    initializers: [
      ...model.initializers.map((one) => (wide.has(one.name) ? { ...one, name: stored(one.name) } : one)),
      ...bounds,
    ],
    nodes: [...clips, ...model.nodes],
  };
}

function stored(name: string): string {
  return `${name}:stored`;
}

/** Whether any value of a weight is outside fp16's range; what is stored in fp16 needs no look. */
async function leavesRange({ weight }: Weight, source: WeightSource, signal?: AbortSignal): Promise<boolean> {
  const leaves = leavesOf(weight).map(({ name }) => source.get(name)?.format);
  if (weight.op === "tensor" && leaves.every((format) => format === "f16")) return false;
  for await (const bytes of stream(weight, source, "f32", signal ? { signal } : {})) {
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    for (const value of values) if (value > LARGEST || value < -LARGEST) return true;
  }
  return false;
}
