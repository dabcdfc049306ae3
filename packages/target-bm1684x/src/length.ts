import type { Graph } from "@llm/core-ir";
import { TargetError } from "@llm/target";
import type { Bm1684xOptions } from "./options.ts";

/** As long as asked for; unless it was, not longer than the model. */
export function lengthFor(model: Graph, { seqLength }: Pick<Bm1684xOptions, "seqLength">): number {
  const most = model.dims.context?.max ?? seqLength;
  if (seqLength === DEFAULT_LENGTH) return Math.min(seqLength, most);
  if (seqLength > most)
    throw new TargetError("option-invalid", `--seq-length ${seqLength}: this model takes at most ${most} tokens`);
  return seqLength;
}

const DEFAULT_LENGTH = 512;
