import { bestOf } from "@llm/runtime-native/ort";
import type { RowResult, Want } from "@llm/target";

/** What a card says after a row's last tokens: logits (last, vocab), or tokens that it chose (last). */
export type Answers = Float32Array | Int32Array;

/** What a row wanted, from what the card says. */
export function answer(want: Want, answers: Answers, vocab: number): RowResult {
  if (answers instanceof Int32Array) return { tokens: answers };
  switch (want.kind) {
    case "logits":
      return { logits: answers };
    case "token":
      return { tokens: bestOf(answers, vocab, 1, { allow: want.allow }).ids };
    case "top": {
      const { ids, logits, logSumExp } = bestOf(answers, vocab, want.k, { allow: want.allow, sums: true });
      return { top: { ids, logits, logSumExp: logSumExp! } };
    }
    case "hidden":
      return {}; // not among these sessions' wants: refused before
  }
}
