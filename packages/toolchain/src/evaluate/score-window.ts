import type { Prober } from "./engine.ts";
import { addScores, NO_SCORE, type Score, scoreRows } from "./score.ts";
import type { Window } from "./windows.ts";

/** Logits of so many bytes are compared at once. */
const LOGITS_BYTES = 32 << 20;

/** Scores a window's tokens, piece by piece, so that the memory for logits has a bound whatever the vocabulary. */
export async function scoreWindow(
  { ids, from }: Pick<Window, "ids" | "from">,
  actual: Prober,
  base: Prober,
  vocab: number,
): Promise<Score> {
  const rows = Math.max(1, Math.floor(LOGITS_BYTES / (vocab * Float32Array.BYTES_PER_ELEMENT)));
  const chunk = Math.min(rows, actual.chunk, base.chunk);
  let score = NO_SCORE;
  for (let at = 0; at < ids.length - 1; at += chunk) {
    const end = Math.min(at + chunk, ids.length - 1);
    const tokens = ids.subarray(at, end);
    const last = Math.min(tokens.length, Math.max(0, end - (from - 1)));
    const logits = await actual.step(at, tokens, last, ids.length);
    const others = base === actual ? logits : await base.step(at, tokens, last, ids.length);
    if (last > 0) score = addScores(score, scoreRows(logits, others, ids.subarray(end - last + 1, end + 1), vocab));
  }
  return score;
}
