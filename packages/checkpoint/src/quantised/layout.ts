import type { DType, Span, StoredTensor } from "@llm/tensor";
import { CheckpointError } from "../error.ts";
import type { JsonObject } from "../json.ts";
import type { StoredWeights } from "../stored-weights.ts";

/** One quantised linear as its published tensors. */
export interface PackedLinear {
  readonly name: string; // of the layer, without ".qweight"
  readonly qweight: StoredTensor;
  readonly qzeros: StoredTensor;
  readonly scales: StoredTensor;
  readonly groupIndex: StoredTensor | undefined;
}

/** How a quantiser's config and tensors become one logical tensor a layer. */
export type Presenter = (linear: PackedLinear, fail: Fail) => StoredTensor;
export type Fail = (reason: string, part?: string) => CheckpointError;

const PARTS = ["qweight", "qzeros", "scales", "g_idx"] as const;

/** `layer.qweight` and its companions become `layer.weight`; all other tensors stay as they are. */
export function presentLinears(weights: StoredWeights, present: Presenter): StoredWeights {
  const tensors = new Map<string, StoredTensor>();
  const taken = new Set<string>();
  for (const name of weights.names()) {
    const layer = /^(.*)\.qweight$/.exec(name)?.[1];
    if (layer === undefined) continue;
    const qweight = weights.get(name)!;
    const fail: Fail = (reason, part = "qweight") =>
      new CheckpointError("tensor-invalid", reason, {
        file: weights.nameOf(qweight.parts.data!.file),
        tensor: `${layer}.${part}`,
      });
    const part = (key: string) => weights.get(`${layer}.${key}`);
    const required = (key: string) => part(key) ?? raise(fail("is missing: it belongs to the layer's qweight", key));
    if (part("weight")) throw fail("the layer has both a quantised and a plain weight");
    const linear = {
      name: layer,
      qweight,
      qzeros: required("qzeros"),
      scales: required("scales"),
      groupIndex: part("g_idx"),
    };
    tensors.set(`${layer}.weight`, present(linear, fail));
    for (const key of PARTS) taken.add(`${layer}.${key}`);
  }
  const all = new Map<string, StoredTensor>();
  for (const name of weights.names()) {
    const layer = /^(.*)\.qweight$/.exec(name)?.[1];
    if (layer !== undefined) all.set(`${layer}.weight`, tensors.get(`${layer}.weight`)!);
    else if (!taken.has(name)) all.set(name, weights.get(name)!);
  }
  return weights.presenting(all);
}

function raise(error: Error): never {
  throw error;
}

/** The one span of a published tensor, after its dtype and shape were checked. */
export function checkedSpan(
  tensor: StoredTensor,
  key: string,
  dtypes: readonly DType[],
  shape: readonly number[],
  fail: Fail,
): Span {
  if (!dtypes.some((dtype) => dtype === tensor.format))
    throw fail(`it is ${tensor.format}, not ${dtypes.join(" or ")}`, key);
  if (tensor.shape.length !== shape.length || tensor.shape.some((dim, axis) => dim !== shape[axis]))
    throw fail(`its shape is [${tensor.shape.join(", ")}], but the layer needs [${shape.join(", ")}]`, key);
  if (tensor.strides) throw fail("it is a view with strides", key);
  return tensor.parts.data!;
}

/** A whole number out of a quantiser's config. */
export function integerField(config: JsonObject, key: string, fallback?: number): number {
  const value = config[key] ?? fallback;
  if (typeof value !== "number" || !Number.isInteger(value))
    throw new CheckpointError("config-invalid", `quantization_config.${key} is not a whole number`);
  return value;
}

/** How many inputs share a scale; -1 in the config means all of them. */
export function groupsOf(groupSize: number, inputs: number, fail: Fail): { size: number; count: number } {
  const size = groupSize === -1 ? inputs : groupSize;
  if (size <= 0 || size > 2 ** 31) throw fail(`group_size ${groupSize} of the config makes no sense`);
  return { size, count: Math.ceil(inputs / size) };
}
