import type { DeviceSampling } from "./session.ts";

/**
 * Draws a token as `DeviceSampling` says, from weights in proportion to probabilities at the wanted temperature: of a whole
 * vocabulary, or of the tokens that `ids` names, where those are the best. Costs a sort of what `topK` leaves.
 */
export function drawToken(
  weights: Float32Array,
  { topK = 0, topP = 1, minP = 0 }: DeviceSampling,
  random: number,
  ids?: Int32Array,
): number {
  const idOf = (i: number) => ids?.[i] ?? i;
  const floor = topK > 0 && topK < weights.length ? weights.slice().sort()[weights.length - topK]! : 0;
  const order: number[] = [];
  for (let i = 0; i < weights.length; i++) if (weights[i]! >= floor) order.push(i);
  order.sort((a, b) => weights[b]! - weights[a]! || idOf(a) - idOf(b));
  const nucleus = topP * massOf(order, weights);
  const least = minP * weights[order[0]!]!;
  const kept: number[] = [];
  for (let i = 0, mass = 0; i < order.length; i++) {
    const weight = weights[order[i]!]!;
    if (i > 0 && (mass >= nucleus || weight < least)) break;
    kept.push(order[i]!);
    mass += weight;
  }
  kept.sort((a, b) => idOf(a) - idOf(b));
  let left = random * massOf(kept, weights);
  return idOf(kept.find((i) => (left -= weights[i]!) < 0) ?? kept.at(-1)!);
}

function massOf(indices: readonly number[], weights: Float32Array): number {
  return indices.reduce((sum, i) => sum + weights[i]!, 0);
}
