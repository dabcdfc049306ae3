import type { Graph } from "@llm/core-ir";
import type { Choice } from "@llm/target";
import type { WeightSource } from "@llm/tensor";
import type { CpuOptions } from "../options.ts";
import { planCpu } from "./plan.ts";
import { roundedAgain } from "./stored-formats.ts";

/** Weights up to here are read in float32 many times a second; larger ones are what a step waits for. */
const QUICK_BYTES = 1e9;

/** No shorter context is chosen for the sake of memory, nor is a format for a longer one. */
const LEAST_CONTEXT = 512;
const CONTEXT_STEP = 128;

/**
 * Puts a format for "auto", and a context where the model's own is more than memory holds. The machine's memory decides, or
 * its container's, not what happens to be free of it, so that the same call makes the same artefact. `source` is the checkpoint,
 * where that is known.
 */
export function chooseCpu(model: Graph, options: CpuOptions, source?: Pick<WeightSource, "get">): Choice<CpuOptions> {
  const { options: formatted, notes } = chooseFormat(model, options, source);
  const room = formatted.ctxLen === 0 ? roomFor(model, formatted, source) : undefined;
  if (room === undefined) return { options: formatted, notes };
  const note = `the longest context that memory holds is --ctx-len ${room}; the model takes ${longest(model)}`;
  return { options: { ...formatted, ctxLen: room }, notes: [...notes, note] };
}

/**
 * Float32 comes first: its steps differ least with what else is in them. It gives way to 4 bits, the fastest, where it
 * doesn't fit or is slow for its size; of a checkpoint that is quantised already in another way, to 8 bits, which change what
 * was rounded once by hardly anything.
 */
export function chooseFormat(
  model: Graph,
  options: CpuOptions,
  source?: Pick<WeightSource, "get">,
): Choice<CpuOptions> {
  if (options.format !== "auto") return { options, notes: [] };
  // What is emulated is computed with in float32 anyway.
  if (options.emulate || options.formatRules?.length) return { options: { ...options, format: "fp32" }, notes: [] };
  const ctxLen = Math.min(longest(model), options.ctxLen || LEAST_CONTEXT);
  const exact = needs(model, { ...options, ctxLen, format: "fp32" }, source);
  if (exact.fits && exact.weights <= QUICK_BYTES) return { options: { ...options, format: "fp32" }, notes: [] };
  const as = (format: "int4" | "int8") => needs(model, { ...options, ctxLen, format }, source);
  const packed = as("int4");
  // Where no format fits, and the weights are small, caches are what is too large: rounding the weights helps nothing.
  if (!packed.fits && exact.weights <= QUICK_BYTES) return { options: { ...options, format: "fp32" }, notes: [] };
  const float = `--format fp32 would need ${gigabytes(exact.bytes)}`;
  const again = source ? roundedAgain(model, source) : [];
  const careful = again.length > 0 ? as("int8") : undefined;
  if (careful?.fits) {
    const why = `int4 would round ${again.join(", ")} weights a second time`;
    const note = `using int8, ${gigabytes(careful.bytes)}: ${why}; ${float}`;
    return { options: { ...options, format: "int8" }, notes: [note] };
  }
  const note = `using int4, ${gigabytes(packed.bytes)}; ${float}`;
  return { options: { ...options, format: "int4" }, notes: [note] };
}

/** The longest context that fits, where the model's own doesn't; undefined where it does, or where none would. */
function roomFor(model: Graph, options: CpuOptions, source: Pick<WeightSource, "get"> | undefined): number | undefined {
  const fits = (ctxLen: number) => planCpu(model, { ...options, ctxLen }, source).fits;
  const most = longest(model);
  if (most <= LEAST_CONTEXT || fits(most) || !fits(LEAST_CONTEXT)) return undefined;
  let [good, bad] = [LEAST_CONTEXT / CONTEXT_STEP, Math.ceil(most / CONTEXT_STEP)];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (fits(middle * CONTEXT_STEP)) good = middle;
    else bad = middle;
  }
  return good * CONTEXT_STEP;
}

function needs(
  model: Graph,
  options: CpuOptions,
  source: Pick<WeightSource, "get"> | undefined,
): { fits: boolean; weights: number; bytes: number } {
  const { fits, devices } = planCpu(model, options, source);
  const weights = devices.reduce((sum, device) => sum + device.weights, 0);
  const bytes = devices.reduce((sum, { total, free }) => sum + total - free, 0);
  return { fits, weights, bytes };
}

function longest(model: Graph): number {
  return model.dims.context?.max ?? 1;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
