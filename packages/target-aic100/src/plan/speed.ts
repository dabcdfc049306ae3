import type { PlanSpeed } from "@llm/target";
import { cacheBytes, type Work, weightBytes } from "./plan-aic100.ts";

/**
 * What memory and arithmetic allow at most: every step reads all weights that it uses and every row's cache, and multiplies
 * with each. What devices tell one another isn't counted, so nothing is faster; what is usual lies well below.
 */
export function speedOf(work: Work & { readonly rows: number }): PlanSpeed {
  const { assumed, count, rows, promptLen, fullBatchSize, context, needs, card, cores, copies = 1 } = work;
  const step = (tokens: number, sequences: number) => {
    // Of experts, only those are read that some token takes.
    const experts = needs.experts / Math.max(1, needs.matrices + needs.experts);
    const read = weightBytes(work) * (1 - experts * (1 - Math.min(1, tokens * needs.expertShare)));
    const memory = (read + cacheBytes(work, sequences, context)) / assumed.bandwidth;
    const attention = needs.caches.reduce(
      (sum, { queries, window }) => sum + queries * Math.min(context, window ?? context),
      0,
    );
    const compute = (2 * tokens * (needs.macs + attention)) / count / ((assumed.fp16 * cores) / card.cores);
    return {
      seconds: Math.max(memory, compute),
      decides: memory >= compute ? ("memory" as const) : ("compute" as const),
    };
  };
  const decode = step(rows, rows);
  const prompts = fullBatchSize > 0 ? 1 : rows;
  const prefill = step(promptLen * prompts, prompts);
  const decoded = (copies * rows) / decode.seconds;
  return {
    decode: { most: decoded, usual: decoded * assumed.bandwidthShare, by: decode.decides },
    prefill: { most: (copies * promptLen * prompts) / prefill.seconds, by: prefill.decides },
  };
}
