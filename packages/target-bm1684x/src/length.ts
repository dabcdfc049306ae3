import type { Graph } from "@llm/core-ir";
import { TargetError } from "@llm/target";
import { type Bm1684xOptions, bm1684xOptions } from "./options.ts";

/** What nobody asked for isn't longer than the model. */
export function impliedDefaults(_: Partial<Bm1684xOptions>, model?: Graph): Partial<Bm1684xOptions> {
  const most = model?.dims.context?.max;
  return most === undefined ? {} : { ctxLen: Math.min(most, bm1684xOptions.ctxLen.default!) };
}

/** As long as asked for, once it is known that the model takes it. */
export function lengthFor(model: Graph, { ctxLen }: Pick<Bm1684xOptions, "ctxLen">): number {
  const most = model.dims.context?.max ?? ctxLen;
  if (ctxLen > most)
    throw new TargetError("option-invalid", `--ctx-len ${ctxLen}: this model takes at most ${most} tokens`);
  return ctxLen;
}
