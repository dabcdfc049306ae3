import { usableMemory } from "@llm/target/engine";
import { type CpuOptions, contextOf } from "../options.ts";
import { LEAST_CONTEXT } from "./choose-format.ts";
import { RESERVE, spareShare } from "./memory.ts";
import { gigabytes } from "./needs.ts";

/** What is known of a model without its graph, in bytes. */
export interface Finished {
  /** Of its files, which is about what is multiplied by. */
  readonly weights: number;
  /** Of one token in one slot's cache. */
  readonly token: number;
  /** The most tokens that it takes. */
  readonly most: number;
}

/**
 * The context of a session on what was finished before, for which nothing was planned here: what was asked for, else as much as
 * memory holds beside the weights. What a step computes in between is not known, and small beside either.
 */
export function roomOnOpening(
  { ctxLen, batchSize }: Pick<CpuOptions, "ctxLen" | "batchSize">,
  { weights, token, most }: Finished,
  tell: (note: string) => void,
  memory: number = usableMemory(),
): number {
  const wanted = contextOf(ctxLen, most);
  const taken = (tokens: number) => RESERVE + weights + batchSize * token * tokens;
  const room = memory * (1 - spareShare());
  if (ctxLen > 0 || taken(most) <= room) return wanted;
  const fitting = Math.floor((room - taken(0)) / (batchSize * token));
  const context = Math.min(most, Math.max(LEAST_CONTEXT, fitting));
  if (taken(context) > memory)
    tell(
      `--ctx-len ${context} doesn't fit: it takes ${gigabytes(taken(context))} of memory and there are ${gigabytes(memory)}`,
    );
  else
    tell(
      `using --ctx-len ${context} of ${most}, ${gigabytes(taken(context))}; all of it would need ${gigabytes(taken(most))}`,
    );
  return context;
}
