import type { Graph } from "@llm/core-ir";
import type { CpuOptions } from "../options.ts";
import { longestOf, needOf, type Stored } from "./needs.ts";
import { roundedAgain } from "./stored-formats.ts";

/** Weights up to here are read in float32 many times a second; larger ones are what a step waits for. */
const QUICK_BYTES = 1e9;

/** No shorter context is chosen for the sake of memory, nor is a format for a longer one. */
export const LEAST_CONTEXT = 512;

/** A format where it was left open, and why it isn't the one that is usual then. */
export interface ChosenFormat {
  readonly format: string;
  readonly why?: string;
}

/**
 * Float32 comes first: its steps differ least with what else is in them. It gives way to 4 bits, the fastest, where it
 * doesn't fit or is slow for its size; of a checkpoint that is quantised already in another way, to 8 bits, which change what
 * was rounded once by hardly anything.
 */
export function chooseFormat(model: Graph, options: CpuOptions, source?: Stored): ChosenFormat {
  if (options.format !== "auto") return { format: options.format };
  // What is emulated is computed with in float32 anyway.
  if (options.emulate || options.formatRules?.length) return { format: "fp32" };
  const ctxLen = Math.min(longestOf(model), options.ctxLen || LEAST_CONTEXT);
  const as = (format: string) => needOf(model, { ...options, ctxLen, format }, source);
  const exact = as("fp32");
  if (exact.weights <= QUICK_BYTES) {
    // Where no format fits, and the weights are small, caches are what is too large: rounding the weights helps nothing.
    if (exact.fitsWell || !as("int4").fitsWell) return { format: "fp32" };
  }
  const again = source ? roundedAgain(model, source) : [];
  if (again.length > 0 && as("int8").fitsWell)
    return { format: "int8", why: `int4 would round ${again.join(", ")} weights a second time` };
  return { format: "int4" };
}
