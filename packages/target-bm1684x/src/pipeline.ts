import type { Graph } from "@llm/core-ir";
import { type PassCall, TargetError } from "@llm/target";
import { lengthFor } from "./length.ts";
import { type Bm1684xOptions, HEAD_BITS, WEIGHT_BITS } from "./options.ts";
import { sharingOf } from "./plan/sharing.ts";
import { checkSupported } from "./refusals.ts";

/** Groups that the chip's matrix unit knows. */
const GROUPS = [32, 64, 128];

/** From a canonical decoder graph to nets that the vendor's compiler takes. */
export function bm1684xPipeline(model: Graph, options: Bm1684xOptions): readonly PassCall[] {
  checkSupported(model);
  const { mode, qGroupSize: group } = options;
  const seqLength = lengthFor(model, options);
  const bits = mode === "F16" ? undefined : WEIGHT_BITS[mode];
  if (bits && !GROUPS.includes(group))
    throw new TargetError("option-invalid", `--q-group-size ${group}: it is one of ${GROUPS.join(", ")}`);
  const { mp: chips } = sharingOf(model, options).mesh;
  return [
    { pass: "near-frequencies", params: { context: seqLength } },
    { pass: "split-linears" },
    { pass: "scale-queries" },
    // Cut at whole groups of weights, so that each has one scale and one chip.
    { pass: "bm1684x-nets", params: { seqLength, ...(chips > 1 ? { chips, step: group } : {}) } },
    ...(bits ? [{ pass: "bm1684x-quantise", params: { bits, group, headBits: HEAD_BITS } }] : []),
    { pass: "lower-to-top" },
  ];
}
