import { type DeviceSampling, drawToken } from "@llm/target";

/** The best tokens of a vocabulary, the likeliest first, and their shares of the probability at the wanted temperature. */
export interface Best {
  readonly shares: Float32Array;
  readonly ids: Int32Array;
}

/** Draws from the best alone; undefined where others beyond them may be as good as the last that counts. */
export function drawFromBest(
  { shares, ids }: Best,
  vocab: number,
  sampling: DeviceSampling,
  random: number,
): number | undefined {
  const last = shares[Math.min(sampling.topK!, shares.length) - 1]!;
  // Shares so small that they are zero are never drawn, however many there are.
  const isDecided = ids.length === vocab || last > shares.at(-1)! || last === 0;
  return isDecided ? drawToken(shares, sampling, random, ids) : undefined;
}

/** Draws from logits, of the tokens that are allowed; -1 where none is, or the logits are no numbers. */
export function drawFromLogits(
  logits: Float32Array,
  allow: Uint32Array | undefined,
  sampling: DeviceSampling,
  random: number,
): number {
  const isAllowed = (id: number) => !allow || ((allow[id >>> 5]! >>> (id & 31)) & 1) === 1;
  const most = logits.reduce((best, x, id) => (x > best && isAllowed(id) ? x : best), Number.NEGATIVE_INFINITY);
  if (most === Number.NEGATIVE_INFINITY) return -1;
  const { temperature = 1 } = sampling;
  const weights = logits.map((x, id) => (isAllowed(id) ? Math.exp((x - most) / temperature) : 0));
  return drawToken(weights, sampling, random);
}
