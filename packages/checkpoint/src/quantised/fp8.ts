import type { StoredTensor } from "@llm/tensor";
import { CheckpointError } from "../error.ts";
import type { JsonObject } from "../json.ts";
import type { StoredWeights } from "../stored-weights.ts";
import { checkedSpan, type Fail } from "./layout.ts";

const SCALE = "_scale_inv";

/**
 * FP8 as DeepSeek publishes it: `weight` of E4M3 [out, in], and `weight_scale_inv` with the factor of each tile. Activations are not
 * rounded here as the original's kernels round them: the weights are what they stand for.
 */
export function presentFp8(weights: StoredWeights, config: JsonObject): StoredWeights {
  const tile = tileOf(config);
  const all = new Map<string, StoredTensor>();
  const names = new Set(weights.names()); // of what can be read
  const isFp8 = (name: string): boolean => names.has(name) && weights.get(name)!.format === "f8_e4m3";
  for (const name of names) {
    if (name.endsWith(SCALE) && isFp8(name.slice(0, -SCALE.length))) continue;
    const tensor = weights.get(name)!;
    all.set(name, tensor.format === "f8_e4m3" ? scaled(weights, tensor, tile) : tensor);
  }
  return weights.presenting(all);
}

function scaled(
  weights: StoredWeights,
  tensor: StoredTensor,
  [rows, columns]: readonly [number, number],
): StoredTensor {
  const { name, shape } = tensor;
  const data = tensor.parts.data!;
  const fail: Fail = (reason, part = name) =>
    new CheckpointError("tensor-invalid", reason, { file: weights.nameOf(data.file), tensor: part });
  const scale = weights.get(`${name}${SCALE}`);
  if (!scale) throw fail("is missing: it has the factors of a weight of FP8", `${name}${SCALE}`);
  if (shape.length !== 2) throw fail(`it has ${shape.length} axes, and tiles have two`);
  const tiles = [Math.ceil(shape[0]! / rows), Math.ceil(shape[1]! / columns)];
  const scales = checkedSpan(scale, scale.name, ["f32", "bf16", "f16"], tiles, fail);
  return { ...tensor, parts: { data, scales }, params: { tileRows: rows, tileColumns: columns, scales: scale.format } };
}

function tileOf({ weight_block_size: size, fmt = "e4m3", activation_scheme: scheme }: JsonObject): [number, number] {
  const refuse = (what: string) =>
    new CheckpointError("quantisation-unsupported", `FP8 ${what} can't be read (E4M3 with a factor a tile can)`);
  if (fmt !== "e4m3") throw refuse(`in the format ${JSON.stringify(fmt).slice(0, 40)}`);
  if (scheme === "static") throw refuse("with fixed factors of activations");
  if (!Array.isArray(size)) throw refuse("without weight_block_size");
  const [rows, columns, ...more] = size;
  const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
  if (!isSize(rows) || !isSize(columns) || more.length > 0)
    throw new CheckpointError("config-invalid", "quantization_config.weight_block_size is not two sizes");
  return [rows, columns];
}
