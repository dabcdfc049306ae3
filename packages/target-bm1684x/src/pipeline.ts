import type { Graph } from "@llm/core-ir";
import { type PassCall, TargetError } from "@llm/target";
import type { Bm1684xMode, Bm1684xOptions } from "./options.ts";
import { checkSupported } from "./refusals.ts";

const BITS: Readonly<Record<Bm1684xMode, 4 | 8 | undefined>> = { F16: undefined, int8: 8, int4: 4 };

/** Groups that the chip's matrix unit knows. */
const GROUPS = [32, 64, 128];

/** From a canonical decoder graph to nets that the vendor's compiler takes. */
export function bm1684xPipeline(model: Graph, options: Bm1684xOptions): readonly PassCall[] {
  checkSupported(model);
  const { mode, qGroupSize: group } = options;
  const seqLength = lengthFor(model, options);
  const bits = BITS[mode];
  if (bits && !GROUPS.includes(group))
    throw new TargetError("option-invalid", `--q-group-size ${group}: it is one of ${GROUPS.join(", ")}`);
  if (![1, 2, 4, 8].includes(options.numDevice))
    throw new TargetError("option-invalid", `--num-device ${options.numDevice}: it is 1, 2, 4 or 8`);
  return [
    { pass: "near-frequencies", params: { context: seqLength } },
    { pass: "split-linears" },
    // The head decides which token it is: 8 bits there cost little, and 4 show.
    ...(bits ? [{ pass: "bm1684x-quantise", params: { bits, group, headBits: 8 } }] : []),
    { pass: "scale-queries" },
    { pass: "bm1684x-nets", params: { seqLength } },
    { pass: "lower-to-top" },
  ];
}

/** As long as asked for; unless it was, not longer than the model. */
export function lengthFor(model: Graph, { seqLength }: Pick<Bm1684xOptions, "seqLength">): number {
  const most = model.dims.context?.max ?? seqLength;
  if (seqLength === DEFAULT_LENGTH) return Math.min(seqLength, most);
  if (seqLength > most)
    throw new TargetError("option-invalid", `--seq-length ${seqLength}: this model takes at most ${most} tokens`);
  return seqLength;
}

export const DEFAULT_LENGTH = 512;
