import { bestOf } from "@llm/runtime-native/ort";
import type { RowResult, Want } from "@llm/target";

/** What a row wanted, from the logits of its last tokens (last, vocab). */
export function answer(want: Want, logits: Float32Array, vocab: number): RowResult {
  switch (want.kind) {
    case "logits":
      return { logits };
    case "token":
      return { tokens: bestOf(logits, vocab, 1, { allow: want.allow }).ids };
    case "top": {
      const { ids, logits: values, logSumExp } = bestOf(logits, vocab, want.k, { allow: want.allow, sums: true });
      return { top: { ids, logits: values, logSumExp: logSumExp! } };
    }
    case "hidden":
      return {}; // not among these sessions' wants: refused before
  }
}
