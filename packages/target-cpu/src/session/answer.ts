import { type BestSearch, bestSearch } from "@llm/runtime-native/ort";
import type { RowResult, Want } from "@llm/target";

/** What has to be looked for in a row's logits, once they are there, to answer it. */
export function searchFor(want: Want, logits: Float32Array, vocab: number): BestSearch | undefined {
  if (want.kind === "token") return bestSearch(logits, vocab, 1, { allow: want.allow });
  return want.kind === "top" ? bestSearch(logits, vocab, want.k, { allow: want.allow, sums: true }) : undefined;
}

/** What a row wanted, from what its last tokens became, (last, vocab) logits or (last, width) hidden states, and what was found. */
export function answer({ kind }: Want, values: Float32Array, search: BestSearch | undefined): RowResult {
  if (kind === "hidden") return { hidden: values };
  if (!search) return { logits: values };
  const { ids, logits, logSumExp } = search;
  return logSumExp ? { top: { ids, logits, logSumExp } } : { tokens: ids };
}
