import { bestOf } from "@llm/runtime-native/ort";
import type { RowResult, Want } from "@llm/target";

/** What a row wanted, from what its last tokens became: (last, vocab) logits, or (last, width) hidden states. */
export function answer(want: Want, values: Float32Array, vocab: number): RowResult {
  switch (want.kind) {
    case "logits":
      return { logits: values };
    case "token":
      return { tokens: bestOf(values, vocab, 1, { allow: want.allow }).ids };
    case "top": {
      const { ids, logits, logSumExp } = bestOf(values, vocab, want.k, { allow: want.allow, sums: true });
      return { top: { ids, logits, logSumExp: logSumExp! } };
    }
    case "hidden":
      return { hidden: values };
  }
}
