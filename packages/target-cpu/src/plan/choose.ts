import type { Graph } from "@llm/core-ir";
import type { Choice } from "@llm/target";
import type { CpuOptions } from "../options.ts";
import { type ChosenFormat, chooseFormat, LEAST_CONTEXT } from "./choose-format.ts";
import { gigabytes, longestOf, type Need, needOf, type Stored } from "./needs.ts";

const CONTEXT_STEP = 128;

/**
 * Puts a format for "auto", and a context where the model's own is more than memory holds. The machine's memory decides, or
 * its container's, not what happens to be free of it, so that the same call makes the same artefact. What doesn't fit however
 * it is kept, or was asked for as it is, is said and not refused: weights are mapped, and a cache may never fill. `source` is the
 * checkpoint, where that is known.
 */
export function chooseCpu(model: Graph, options: CpuOptions, source?: Stored): Choice<CpuOptions> {
  const chosen = chooseFormat(model, options, source);
  const formatted = { ...options, format: chosen.format };
  const { ctxLen, need } = roomFor(model, formatted, source);
  const settled = { ...formatted, ctxLen };
  const note = need.fits ? noteOn(model, options, settled, chosen, need, source) : misfit(model, settled, need, source);
  return { options: settled, notes: note === undefined ? [] : [note] };
}

/** The context that was asked for, else the longest that memory holds; and what it takes. */
function roomFor(model: Graph, options: CpuOptions, source: Stored): { readonly ctxLen: number; readonly need: Need } {
  const needWith = (ctxLen: number) => needOf(model, { ...options, ctxLen }, source);
  const most = longestOf(model);
  const whole = needWith(options.ctxLen || most);
  if (options.ctxLen > 0) return { ctxLen: options.ctxLen, need: whole };
  if (most <= LEAST_CONTEXT || whole.fitsWell) return { ctxLen: most, need: whole };
  let [good, bad] = [LEAST_CONTEXT / CONTEXT_STEP, Math.ceil(most / CONTEXT_STEP)];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (needWith(middle * CONTEXT_STEP).fitsWell) good = middle;
    else bad = middle;
  }
  const ctxLen = good * CONTEXT_STEP;
  return { ctxLen, need: needWith(ctxLen) };
}

/** What was chosen that somebody might want otherwise, with what that would take; undefined where nothing was. */
function noteOn(
  model: Graph,
  asked: CpuOptions,
  { format, ctxLen }: CpuOptions,
  { why }: ChosenFormat,
  need: Need,
  source: Stored,
): string | undefined {
  const rounds = asked.format === "auto" && format !== "fp32";
  const shortens = asked.ctxLen === 0 && ctxLen < longestOf(model);
  if (!rounds && !shortens) return undefined;
  const context = shortens ? `--ctx-len ${ctxLen} of ${longestOf(model)}` : undefined;
  const what = [rounds ? format : undefined, context].filter((part) => part !== undefined).join(" and ");
  const using = `using ${what}, ${gigabytes(need.bytes)}${why === undefined ? "" : `: ${why}`}`;
  if (!rounds) return `${using}; all of it would need ${gigabytes(needOf(model, { ...asked, format }, source).bytes)}`;
  const float = { ...asked, format: "fp32", ctxLen: shortens ? LEAST_CONTEXT : ctxLen };
  const bytes = gigabytes(needOf(model, float, source).bytes);
  return `${using}; --format fp32 would need ${bytes}${shortens ? ` with ${LEAST_CONTEXT}` : ""}`;
}

/** That there isn't as much memory, and what would take less. */
function misfit(model: Graph, options: CpuOptions, { bytes, memory }: Need, source: Stored): string {
  const { format, batchSize, ctxLen } = options;
  const tokens = batchSize === 1 ? `${ctxLen} tokens` : `${batchSize} × ${ctxLen} tokens`;
  const said = `${format} with ${tokens} doesn't fit: it takes ${gigabytes(bytes)} of memory and there are ${gigabytes(memory)}`;
  return `${said}; ${whatFits(model, options, source)}`;
}

function whatFits(model: Graph, options: CpuOptions, source: Stored): string {
  const short = Math.min(options.ctxLen, LEAST_CONTEXT);
  const packed = options.emulate || options.formatRules?.length ? options : { ...options, format: "int4" };
  const less: readonly (readonly [name: string, options: CpuOptions])[] = [
    ["--format int4", packed],
    ["a shorter --ctx-len", { ...options, ctxLen: short }],
    ["a smaller --batch-size", { ...options, batchSize: 1 }],
    ["a smaller --batch-size with a shorter --ctx-len", { ...options, batchSize: 1, ctxLen: short }],
    ["--format int4 with a shorter --ctx-len", { ...packed, ctxLen: short }],
    ["--format int4 with a smaller --batch-size", { ...packed, batchSize: 1 }],
    ["--format int4 with a smaller --batch-size and a shorter --ctx-len", { ...packed, batchSize: 1, ctxLen: short }],
  ];
  const found = less.find(([, changed]) => needOf(model, changed, source).fits);
  return found ? `${found[0]} would fit` : "take a smaller model, or a machine with more memory";
}
