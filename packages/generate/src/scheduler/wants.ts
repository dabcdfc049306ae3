import type { Limits, RowResult, Want } from "@llm/target";
import { GenerateError } from "../error.ts";
import { draw, type RandomState } from "../random/random-state.ts";
import { logSumExpOf, withLogprobs } from "../reading/logprobs.ts";
import type { GeneratedToken } from "./request.ts";
import type { Sequence } from "./sequence.ts";

/** How many of the best tokens are asked for where a device gives no more than those. */
const TOP = 256;

export interface Asked {
  /** Masks what may come next. */
  readonly allow?: Uint32Array | undefined;
  /** How many of the row's last tokens are guesses. */
  readonly guesses?: number;
}

/** What to ask the device for: as little as the request's options can do with. */
export function wantFor(
  sequence: Sequence,
  { wants, sampling, vocab }: Limits,
  { allow, guesses = 0 }: Asked = {},
): Want {
  const { sampler, request } = sequence;
  const { logprobs } = request;
  // After each guess another mask may come, which only whole logits can be held against.
  const masksDiffer = guesses > 0 && request.allow !== undefined;
  const last = masksDiffer && !wants.includes("logits") ? 1 : 1 + guesses;
  if (sampler.isPlainGreedy && !logprobs && !allow && !masksDiffer) {
    if (wants.includes("token") && sampling.includes("greedy"))
      return { kind: "token", last, sampling: { method: "greedy" } };
    if (wants.includes("top")) return { kind: "top", k: 1, last };
  }
  if (wants.includes("logits")) return { kind: "logits", last };
  const masked = allow ? { allow } : {};
  const { temperature = 1, topK = 0, topP, minP } = sampler.options;
  if (wants.includes("top") && sampler.isPlain && (sampler.greedy || (topK > 0 && topK <= TOP) || vocab <= TOP))
    return { kind: "top", k: Math.min(vocab, Math.max(TOP, logprobs ?? 0)), last, ...masked };
  const method = sampler.greedy ? "greedy" : "sample";
  if (wants.includes("token") && sampling.includes(method) && sampler.isDeviceSampling && !logprobs) {
    const random = drawsFrom(sequence.random, last);
    const options = {
      method,
      temperature,
      topK,
      random,
      ...(topP === undefined ? {} : { topP }),
      ...(minP === undefined ? {} : { minP }),
    } as const;
    return { kind: "token", last, sampling: options, ...masked };
  }
  throw new GenerateError(
    "unsupported",
    `this device gives only ${wants.join(", ")}, which these sampling options can't be done with`,
  );
}

function drawsFrom(state: RandomState, count: number): Float32Array {
  const draws = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const [u, next] = draw(state);
    draws[i] = Math.min(u, 1 - 2 ** -24); // a float32 below 1
    state = next;
  }
  return draws;
}

/** The next token, from what the device answered about the `at`-th of the row's last tokens. */
export function readResult(
  sequence: Sequence,
  want: Want,
  result: RowResult,
  at = 0,
): { token: GeneratedToken; random: RandomState } {
  const { sampler, random, request } = sequence;
  if (want.kind === "token") {
    const after = want.sampling.method === "sample" ? draw(random)[1] : random;
    return { token: { id: result.tokens![at]! }, random: after };
  }
  const { vocab } = sampler;
  const { history } = sequence;
  if (want.kind === "top") {
    const { ids, logits, logSumExp } = result.top!;
    const scores = new Float32Array(vocab).fill(-Infinity);
    for (let i = at * want.k; i < (at + 1) * want.k; i++) scores[ids[i]!] = logits[i]!;
    const choice = sampler.choose(scores, history, random);
    return { token: withLogprobs(choice.token, scores, logSumExp[at]!, request.logprobs), random: choice.random };
  }
  const logits = want.last === 1 ? result.logits! : result.logits!.subarray(at * vocab, (at + 1) * vocab);
  const choice = sampler.choose(logits, history, random, sequence.allowed());
  const logprobs = request.logprobs;
  const total = logprobs === undefined ? 0 : logSumExpOf(logits);
  return { token: withLogprobs(choice.token, logits, total, logprobs), random: choice.random };
}
