import type { Beam } from "./beams.ts";

/** A beam's text with one token more. */
export interface Continuation {
  readonly from: number; // the beam's number
  readonly id: number;
  readonly score: number;
}

/** The best `count` continuations of all beams, the best first, by 32-bit sums as transformers has them. */
export function bestContinuations(
  scores: readonly Float32Array[],
  running: readonly Beam[],
  count: number,
): Continuation[] {
  const best: Continuation[] = [];
  scores.forEach((row, from) => {
    const sum = running[from]!.score;
    for (let id = 0; id < row.length; id++) {
      const score = Math.fround(row[id]! + sum);
      if (!(score > -Infinity) || (best.length === count && score <= best[count - 1]!.score)) continue;
      let at = best.length;
      while (at > 0 && best[at - 1]!.score < score) at--;
      best.splice(at, 0, { from, id, score });
      if (best.length > count) best.pop();
    }
  });
  return best;
}
