import { GenerateError } from "../error.ts";
import { together } from "../generator/generation.ts";
import { randomState } from "../random/random-state.ts";
import { logSumExpOf, withLogprobs } from "../reading/logprobs.ts";
import { followedBy, logitsAfter } from "../reading/read.ts";
import { Sampler } from "../sampling/sampler.ts";
import type { GenerateOutcome, GenerateRequest, Ticket } from "../scheduler/request.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";

export interface Guidance {
  /** How far the text is steered: 1 is not at all, below 1 towards `away`. */
  readonly scale: number;
  /** What it is steered away from; the prompt's last token alone, unless said. */
  readonly away?: Int32Array;
}

/**
 * Classifier-free guidance as transformers does it: what is said after the prompt counts `scale` times as much as how that differs
 * from what is said after `away`. Two texts go through the device side by side, each as ordinary requests of one token.
 */
export function submitGuided(scheduler: Scheduler, request: GenerateRequest, guidance: Guidance): Ticket {
  const { scale } = guidance;
  if (!(Number.isFinite(scale) && scale >= 0))
    throw new GenerateError("option-invalid", `guidanceScale is ${scale}, but must be 0 or more (1: off)`);
  const abort = new AbortController();
  const signal = request.signal ? AbortSignal.any([request.signal, abort.signal]) : abort.signal;
  const cancel = (reason: unknown = new DOMException("the request was cancelled", "AbortError")): void =>
    abort.abort(reason);
  return { done: guided(scheduler, { ...request, signal }, guidance), cancel };
}

async function guided(
  scheduler: Scheduler,
  request: GenerateRequest,
  { scale, away = Int32Array.from(request.prompt).slice(-1) }: Guidance,
): Promise<GenerateOutcome> {
  const { maxNewTokens, stopTokens = [], ignoreEos = false, logprobs, adapter, priority, signal } = request;
  const { vocab } = scheduler.session.limits;
  const sampler = new Sampler(request.sampling ?? {}, { vocab, eos: stopTokens });
  const rest = {
    ...(signal ? { signal } : {}),
    ...(adapter === undefined ? {} : { adapter }),
    ...(priority === undefined ? {} : { priority }),
  };
  const prompt = Int32Array.from(request.prompt);
  const most = Math.min(maxNewTokens, scheduler.room - Math.max(prompt.length, away.length));
  const answer: number[] = [];
  let random = request.random ?? randomState();
  let stopped = false;
  while (!stopped && answer.length < most) {
    const texts = [prompt, away].map((start) => followedBy(start, answer));
    const [to, from] = await together(texts.map((text) => () => logitsAfter(scheduler, text, rest)));
    const history = { tokens: texts[0]!, length: texts[0]!.length, promptLength: prompt.length };
    const allow = request.allow?.(Int32Array.from(answer));
    const choice = sampler.choose(steered(to!, from!, scale), history, random, allow);
    ({ random } = choice);
    answer.push(choice.token);
    stopped = !ignoreEos && stopTokens.includes(choice.token);
    const token = withLogprobs(choice.token, to!, logprobs === undefined ? 0 : logSumExpOf(to!), logprobs);
    if (request.onToken?.(token) === true) stopped = true;
  }
  const usage = { promptTokens: prompt.length, cachedTokens: 0, completionTokens: answer.length };
  return { tokens: Int32Array.from(answer), finishReason: stopped ? "stop" : "length", random, usage };
}

/** Both as log-probabilities, in 32 bits, as the reference has them. */
function steered(to: Float32Array, from: Float32Array, scale: number): Float32Array {
  const [toSum, fromSum] = [logSumExpOf(to), logSumExpOf(from)];
  return to.map((logit, id) => {
    const base = Math.fround(from[id]! - fromSum);
    return Math.fround(scale * Math.fround(Math.fround(logit - toSum) - base)) + base;
  });
}
