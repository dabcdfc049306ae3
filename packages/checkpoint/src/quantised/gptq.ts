import type { Span } from "@llm/tensor";
import { CheckpointError } from "../error.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { checkedSpan, type Fail, groupsOf, integerField, type PackedLinear, type Presenter } from "./layout.ts";

/**
 * GPTQ: `qweight` i32 [in · bits / 32, out] holds successive inputs from the lowest bits up, `qzeros` i32 [groups, out · bits / 32]
 * successive outputs, `scales` [groups, out], `g_idx` i32 [in] the group of each input (shuffled with `desc_act`).
 * The first version stores zero points less one; `params.zeroOffset` is what to add.
 */
export function gptq(config: JsonObject): Presenter {
  const common = { bits: checkedBits(integerField(config, "bits")), groupSize: integerField(config, "group_size") };
  const varies = hasOverrides(config.dynamic);
  const format = config.checkpoint_format ?? "gptq";
  if ((format !== "gptq" && format !== "gptq_v2") || config.is_marlin_format === true)
    throw new CheckpointError(
      "quantisation-unsupported",
      `GPTQ in the layout ${JSON.stringify(config.is_marlin_format === true ? "marlin" : format)} can't be read (gptq and gptq_v2 can)`,
    );
  return (linear, fail) => {
    const { name, qweight, qzeros, scales, groupIndex } = linear;
    const { bits, groupSize } = varies ? ownNumbers(linear, fail) : common;
    const perWord = 32 / bits;
    const [words = 0, outputs = 0] = qweight.shape;
    const inputs = words * perWord;
    if (outputs % perWord !== 0) throw fail(`${outputs} outputs don't fill whole words of ${perWord}`);
    const groups = groupsOf(groupSize, inputs, fail);
    const parts: Record<string, Span> = {
      qweight: checkedSpan(qweight, "qweight", ["i32"], [words, outputs], fail),
      qzeros: checkedSpan(qzeros, "qzeros", ["i32"], [groups.count, outputs / perWord], fail),
      scales: checkedSpan(scales, "scales", ["f16", "bf16", "f32"], [groups.count, outputs], fail),
    };
    if (groupIndex) parts.g_idx = checkedSpan(groupIndex, "g_idx", ["i32"], [inputs], fail);
    else if (config.desc_act === true)
      throw fail("is missing: with desc_act, inputs are in no order without it", "g_idx");
    const params = {
      bits,
      groupSize: groups.size,
      groups: groups.count,
      zeroOffset: format === "gptq" ? 1 : 0,
      scales: scales.format,
    };
    return { name: `${name}.weight`, shape: [outputs, inputs], format: "gptq", parts, params };
  };
}

function checkedBits(bits: number): number {
  if (bits === 2 || bits === 4 || bits === 8) return bits;
  throw new CheckpointError("quantisation-unsupported", `GPTQ of ${bits} bits can't be read (2, 4 and 8 can)`);
}

/** GPTQModel's `dynamic`: patterns of layers with numbers of their own, or with "-:" in front, of those left as they are. */
function hasOverrides(dynamic: Json | undefined): boolean {
  return isObject(dynamic) && Object.keys(dynamic).some((pattern) => !pattern.startsWith("-:"));
}

/**
 * Bits and groups that a layer has, by its tensors: the config says them as regular expressions, and one out of a file may take
 * for ever to match.
 */
function ownNumbers({ qweight, scales, groupIndex }: PackedLinear, fail: Fail): { bits: number; groupSize: number } {
  const inputs = groupIndex?.shape[0] ?? 0;
  if (inputs === 0) throw fail("is missing: where layers have numbers of their own (dynamic), it says which", "g_idx");
  const bits = (32 * (qweight.shape[0] ?? 0)) / inputs;
  return { bits: checkedBits(bits), groupSize: Math.ceil(inputs / (scales.shape[0] || 1)) };
}
