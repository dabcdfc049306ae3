/**
 * The null model: two layers of "attention" over 32-bit numbers. What a token stores in the first layer depends on itself
 * and its position, in the second on all it saw in the first; the result depends on everything stored up to it. One stale,
 * missing, misplaced or foreign entry changes every logit.
 */

/** What memory holds before anything is written: no token stores this. */
export const POISON = 0x7fc0dead;

/** A finaliser of MurmurHash3's kind: every bit of the input moves every bit of the output. */
export function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}

/** What a token stores in the first layer. */
export function firstEntry(token: number, position: number): number {
  return mix(Math.imul(token + 1, 0x9e3779b1) ^ mix(position + 0x51ed270b));
}

/** What a token stores in the second layer, given the sum of what it sees in the first. */
export function secondEntry(seen: number, position: number): number {
  return mix((seen + Math.imul(position + 1, 0x27d4eb2f)) | 0);
}

/** What the model knows after a token, given the sum of what it sees in the second layer. */
export function stateOf(seen: number): number {
  return mix(seen ^ 0x165667b1);
}

/** The state after a whole history, straight from the definition: the oracle for every form of cache. */
export function nullState(history: ArrayLike<number>): number {
  let first = 0;
  let second = 0;
  for (let p = 0; p < history.length; p++) {
    first = (first + firstEntry(history[p]!, p)) | 0;
    second = (second + secondEntry(first, p)) | 0;
  }
  return stateOf(second);
}

/** Logits in [-4, 4), a function of the state alone. */
export function logitsOf(state: number, vocab: number, into: Float32Array = new Float32Array(vocab)): Float32Array {
  for (let v = 0; v < vocab; v++) into[v] = (mix(state ^ Math.imul(v + 1, 0x9e3779b1)) >>> 8) / 2 ** 21 - 4;
  return into;
}

/** A stand-in for the hidden state, in [-1, 1). */
export function hiddenOf(state: number, width: number, into: Float32Array = new Float32Array(width)): Float32Array {
  for (let i = 0; i < width; i++) into[i] = (mix(state + Math.imul(i + 1, 0x632be5ab)) >>> 8) / 2 ** 23 - 1;
  return into;
}

/** What the null model says after a history: equal for every device, batch and order. */
export function nullLogits(history: ArrayLike<number>, vocab: number): Float32Array {
  return logitsOf(nullState(history), vocab);
}
