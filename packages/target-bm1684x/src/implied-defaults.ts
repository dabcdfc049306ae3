import type { Graph } from "@llm/core-ir";
import { choiceCalled, TargetError } from "@llm/target";
import { type Bm1684xMode, type Bm1684xOptions, bm1684xOptions } from "./options.ts";

type Given = Partial<Bm1684xOptions>;

/** What nobody asked for: a context that isn't longer than the model, and weights as `format` says. */
export function impliedDefaults(given: Given, model?: Graph): Given {
  const most = model?.dims.context?.max;
  const mode = modeOf(given);
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(most === undefined ? {} : { ctxLen: Math.min(most, bm1684xOptions.ctxLen.default!) }),
  };
}

/** `format` and `mode` are one thing; where they say two, neither is believed. */
function modeOf({ format, mode }: Given): Bm1684xMode | undefined {
  if (format === undefined) return undefined;
  const [meant, said] = [format, mode].map((text) => text && choiceCalled(bm1684xOptions.mode, text));
  if (said !== undefined && meant !== said)
    throw new TargetError(
      "option-invalid",
      `--format ${format} and --mode ${mode} say two things; leave one of them out`,
    );
  return meant as Bm1684xMode | undefined; // another is refused as every value is that an option doesn't have
}
