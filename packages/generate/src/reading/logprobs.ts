import type { GeneratedToken } from "../scheduler/request.ts";

/** A token with its log-probability and those of the `count` best, from the logits it was chosen by. */
export function withLogprobs(
  id: number,
  logits: Float32Array,
  logSumExp: number,
  count: number | undefined,
): GeneratedToken {
  if (count === undefined) return { id };
  const top: { id: number; logprob: number }[] = [];
  for (let other = 0; other < logits.length; other++) {
    const logprob = logits[other]! - logSumExp;
    if (!(top.length < count || logprob > (top.at(-1)?.logprob ?? Infinity))) continue;
    let at = top.length;
    while (at > 0 && top[at - 1]!.logprob < logprob) at--;
    top.splice(at, 0, { id: other, logprob });
    if (top.length > count) top.pop();
  }
  return { id, logprob: logits[id]! - logSumExp, top };
}

export function logSumExpOf(logits: Float32Array): number {
  let best = -Infinity;
  for (const logit of logits) if (logit > best) best = logit;
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - best);
  return best + Math.log(total);
}
