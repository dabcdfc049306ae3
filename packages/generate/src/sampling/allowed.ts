/** A word of a mask (LSB first) that leaves all its tokens in. */
const ALL = 0xffffffff;

/** Makes what a mask leaves out impossible. Most masks are nearly empty or nearly full, so whole words go at once. */
export function ruleOut(scores: Float32Array, allow: Uint32Array): void {
  let from = -1; // of a run of words that leave nothing in
  for (let word = 0; word * 32 < scores.length; word++) {
    const bits = allow[word]!;
    const start = word * 32;
    if (bits === 0) {
      if (from < 0) from = start;
      continue;
    }
    if (from >= 0) scores.fill(-Infinity, from, start);
    from = -1;
    if (bits === ALL) continue;
    const end = Math.min(start + 32, scores.length);
    for (let id = start; id < end; id++) if (!((bits >>> (id - start)) & 1)) scores[id] = -Infinity;
  }
  if (from >= 0) scores.fill(-Infinity, from);
}

/** The first of the best tokens that a mask leaves in, or -1 where none is possible. */
export function bestAllowed(scores: Float32Array, allow: Uint32Array): number {
  let best = -1;
  let most = -Infinity;
  for (let word = 0; word * 32 < scores.length; word++) {
    const bits = allow[word]!;
    if (bits === 0) continue;
    const end = Math.min(word * 32 + 32, scores.length);
    for (let id = word * 32; id < end; id++)
      if (scores[id]! > most && (bits >>> (id & 31)) & 1) {
        most = scores[id]!;
        best = id;
      }
  }
  return best;
}
