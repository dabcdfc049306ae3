import { CheckpointError } from "../error.ts";
import type { JsonObject } from "../json.ts";
import { checkedSpan, groupsOf, integerField, type Presenter } from "./layout.ts";

/** Eight 4-bit values to a word. */
const PER_WORD = 8;

/**
 * AWQ as its GEMM kernels want it: `qweight` i32 [in, out / 8] and `qzeros` i32 [groups, out / 8] hold eight outputs a word, in
 * the order 0 2 4 6 1 3 5 7 from the lowest bits up; `scales` [groups, out].
 */
export function awq(config: JsonObject): Presenter {
  const bits = integerField(config, "bits", integerOr(config.w_bit, 4));
  const version = String(config.version ?? "gemm").toLowerCase();
  if (bits !== 4 || version !== "gemm")
    throw new CheckpointError(
      "quantisation-unsupported",
      `AWQ of ${bits} bits in the layout ${JSON.stringify(version)} can't be read (4 bits, gemm can)`,
    );
  if (config.zero_point === false)
    throw new CheckpointError("quantisation-unsupported", "AWQ without zero points can't be read");
  const groupSize = integerField(config, "group_size", integerOr(config.q_group_size, 128));
  return ({ name, qweight, qzeros, scales }, fail) => {
    const [inputs = 0, words = 0] = qweight.shape;
    const outputs = words * PER_WORD;
    const groups = groupsOf(groupSize, inputs, fail);
    const parts = {
      qweight: checkedSpan(qweight, "qweight", ["i32"], [inputs, words], fail),
      qzeros: checkedSpan(qzeros, "qzeros", ["i32"], [groups.count, words], fail),
      scales: checkedSpan(scales, "scales", ["f16", "bf16", "f32"], [groups.count, outputs], fail),
    };
    const params = { bits, groupSize: groups.size, groups: groups.count, scales: scales.format };
    return { name: `${name}.weight`, shape: [outputs, inputs], format: "awq", parts, params };
  };
}

function integerOr(value: unknown, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}
