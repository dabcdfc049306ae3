import type { Graph } from "@llm/core-ir";
import { TargetError } from "@llm/target";
import type { Bm1684xOptions } from "./options.ts";

/** As long as asked for, once it is known that the model takes it. */
export function lengthFor(model: Graph, { ctxLen }: Pick<Bm1684xOptions, "ctxLen">): number {
  const most = model.dims.context?.max ?? ctxLen;
  if (ctxLen > most)
    throw new TargetError("option-invalid", `--ctx-len ${ctxLen}: this model takes at most ${most} tokens`);
  return ctxLen;
}
