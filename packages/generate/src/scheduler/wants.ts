import type { DeviceSampling, Limits, RowResult, Want } from "@llm/target";
import { GenerateError } from "../error.ts";
import { draw, type RandomState } from "../random/random-state.ts";
import { logSumExpOf, withLogprobs } from "../reading/logprobs.ts";
import { nothingLeft, type Sampler } from "../sampling/sampler.ts";
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
export function wantFor(sequence: Sequence, limits: Limits, { allow, guesses = 0 }: Asked = {}): Want {
  const { sampler, request } = sequence;
  const { logprobs } = request;
  const { wants, vocab } = limits;
  // After each guess another mask may come, which only whole logits can be held against.
  const masksDiffer = guesses > 0 && request.allow !== undefined;
  const last = masksDiffer && !wants.includes("logits") ? 1 : 1 + guesses;
  const masked = allow ? { allow } : {};
  const isUnheard = allow !== undefined && limits.masks === false;
  const chosen: Want | undefined =
    logprobs !== undefined || isUnheard || !choosesToken(sampler, limits)
      ? undefined
      : { kind: "token", last, sampling: deviceSampling(sequence, last), ...masked };
  const unmasked = !allow && !masksDiffer;
  if (chosen && unmasked) return chosen;
  if (sampler.isPlainGreedy && !logprobs && unmasked && wants.includes("top")) return { kind: "top", k: 1, last };
  if (wants.includes("logits")) return { kind: "logits", last };
  const { topK = 0 } = sampler.options;
  if (wants.includes("top") && sampler.isPlain && (sampler.greedy || (topK > 0 && topK <= TOP) || vocab <= TOP))
    return { kind: "top", k: Math.min(vocab, Math.max(TOP, logprobs ?? 0)), last, ...masked };
  if (chosen) return chosen;
  throw new GenerateError(
    "unsupported",
    `this device gives only ${wants.join(", ")}, which ${inTheWay(sequence, limits, isUnheard)}`,
  );
}

/** What a device can't do that chooses tokens itself, and what could be done about it. */
function inTheWay({ sampler, request }: Sequence, limits: Limits, isUnheard: boolean): string {
  const { sampleTopK, samplePenalties = [], masksBy } = limits;
  const names = [...(request.logprobs === undefined ? [] : ["logprobs"]), ...sampler.beyondDevice(samplePenalties)];
  if (names.length > 0) return `${names.join(", ")} can't be done with`;
  const what = "these sampling options can't be done with";
  if (isUnheard)
    return `${what}; it takes no mask of what may come${masksBy === undefined ? "" : ` (made with ${masksBy} it does)`}`;
  return sampleTopK === undefined || sampler.greedy ? what : `${what}; it draws with a topK of 1 to ${sampleTopK}`;
}

/** Whether the device can choose a token itself by a request's options. */
function choosesToken(sampler: Sampler, { wants, sampling, sampleTopK, samplePenalties = [] }: Limits): boolean {
  const isHeard = sampler.devicePenalties?.every((penalty) => samplePenalties.includes(penalty));
  if (!wants.includes("token") || !isHeard) return false;
  if (sampler.greedy) return sampling.includes("greedy");
  if (!sampler.isDeviceSampling || !sampling.includes("sample")) return false;
  const { topK = 0 } = sampler.options;
  return sampleTopK === undefined || (topK >= 1 && topK <= sampleTopK);
}

function deviceSampling({ sampler, random, history }: Sequence, count: number): DeviceSampling {
  const { temperature = 1, topK = 0, topP, minP, repetitionPenalty = 1, presencePenalty = 0 } = sampler.options;
  const penalties = {
    ...(repetitionPenalty === 1 ? {} : { repetitionPenalty }),
    ...(presencePenalty === 0 ? {} : { presencePenalty, answerFrom: history.promptLength }),
  };
  if (sampler.greedy) return { method: "greedy", ...penalties };
  return {
    ...penalties,
    method: "sample",
    temperature,
    topK,
    random: drawsFrom(random, count),
    ...(topP === undefined ? {} : { topP }),
    ...(minP === undefined ? {} : { minP }),
  };
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
    return { token: { id: chosen(result.tokens![at]!, want) }, random: after };
  }
  const { vocab } = sampler;
  const { history } = sequence;
  if (want.kind === "top") {
    const { ids, logits, logSumExp } = result.top!;
    chosen(ids[at * want.k]!, want);
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

/** The best token by a device, which says -1 where no score is above the others: the mask is to blame only where it allows none. */
function chosen(id: number, { allow }: Want): number {
  if (id >= 0) return id;
  throw nothingLeft(Float32Array.of(allow?.every((word) => word === 0) ? -Infinity : NaN));
}
