import { goldenDir, readGolden } from "@llm/fixtures";
import { draw, logitsAfter, randomState, Sampler, type SamplingOptions, Scheduler } from "@llm/generate";
import type { Session } from "@llm/target";
import { describe, expect, it } from "vitest";
import { openRunnable } from "./open-runnable.ts";
import { scratch } from "./testing/scratch.ts";

const { env } = scratch();

/** Numbers for schedules: the same every time. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SAMPLINGS: readonly SamplingOptions[] = [
  {},
  { temperature: 1 },
  { temperature: 0.7, topK: 8, repetitionPenalty: 1.2 },
];

/** Random schedules of each model: a thousand together. */
const SCHEDULES = 170;

const SHARED = 8; // tokens that prompts begin with, at most
const OWN = 10;
const ANSWER = 10;
/** Room for hardly two of the longest, in three slots. */
const CACHE_TOKENS = 48;

/** The same session with less room, so that requests have to make way for one another. */
function squeezed(session: Session): Session {
  const { fork } = session;
  return {
    specificationVersion: 1,
    limits: { ...session.limits, cacheTokens: CACHE_TOKENS },
    step: (rows) => session.step(rows),
    trim: (slot, length) => session.trim(slot, length),
    ...(fork ? { fork: (moves) => fork.call(session, moves) } : {}),
    close: () => session.close(),
  };
}

/** What rounding may move a sum of probabilities by, or a logit: float32 kernels for one token and for several differ so much. */
const ROUNDING = 1e-6;

/** How a request was drawn. */
interface Drawn {
  readonly prompt: readonly number[];
  readonly sampling: SamplingOptions;
  readonly random: ReturnType<typeof randomState>;
}

/** Whether two answers part where rounding decides: at a draw on the very border of two tokens, or a tie of the best. */
async function partByRounding(scheduler: Scheduler, { prompt, sampling, random }: Drawn, a: number[], b: number[]) {
  const at = a.findIndex((id, i) => id !== b[i]);
  if (at < 0 || b[at] === undefined) return false; // one is shorter: that is no rounding
  const tokens = [...prompt, ...a.slice(0, at)];
  const logits = await logitsAfter(scheduler, tokens).done;
  const sampler = new Sampler(sampling, { vocab: logits.length });
  const history = { tokens, length: tokens.length, promptLength: prompt.length };
  if (sampler.greedy) return Math.abs(logits[a[at]!]! - logits[b[at]!]!) < ROUNDING * 10;
  const { ids, probs } = sampler.distribution(logits, history);
  const [u] = draw({ ...random, drawn: random.drawn + at });
  const other = ids.indexOf(b[at]!);
  const before = probs.slice(0, other).reduce((sum, p) => sum + p, 0);
  return u > before - ROUNDING && u < before + probs[other]! + ROUNDING;
}

describe.each([
  "gpt2",
  "llama_gqa_llama3",
  "llama_dynamic_ntk",
  "phi3_longrope_short",
  "gpt_bigcode_mqa",
  "mistral_swa",
])("batching a real model: %s", (name) => {
  it(`gives each request the tokens it gets alone, in float32, in ${SCHEDULES} random schedules`, {
    timeout: 600_000,
  }, async () => {
    const runnable = await openRunnable(goldenDir(name), { env, batchSize: 3 });
    const { vocab_size: vocab } = readGolden(name);
    const scheduler = new Scheduler(squeezed(runnable.session), { promptTokensPerStep: 7 });
    const single = await openRunnable(goldenDir(name), { env, batchSize: 1 });
    const alone = new Scheduler(single.session, { reusePrefixes: false });
    let cancelled = 0;
    let ties = 0;
    for (let schedule = 0; schedule < SCHEDULES; schedule++) {
      const roll = dice(schedule + 1);
      const system = Array.from({ length: SHARED }, () => roll(vocab));
      const requests = Array.from({ length: 6 }, (_, i) => ({
        prompt: [...system.slice(0, roll(SHARED + 1)), ...Array.from({ length: 1 + roll(OWN) }, () => roll(vocab))],
        maxNewTokens: 1 + roll(ANSWER),
        sampling: SAMPLINGS[roll(3)]!,
        random: randomState(i),
        priority: roll(2),
        leaves: roll(5) === 0 ? roll(4) : undefined, // cancelled after so many tokens more
      }));
      const together: Promise<number[] | "cancelled">[] = [];
      const join = (): void => {
        const next = requests[together.length];
        if (!next) return;
        const { leaves, ...request } = next;
        let heard = 0;
        const ticket = scheduler.submit({
          ...request,
          onToken: () => {
            if (heard === roll(3)) join();
            if (heard++ === leaves) ticket.cancel();
          },
        });
        together.push(
          ticket.done.then(
            ({ tokens }) => Array.from(tokens),
            (reason: Error) => (reason.name === "AbortError" ? "cancelled" : Promise.reject(reason)),
          ),
        );
      };
      while (together.length < requests.length) {
        join();
        if (roll(2) === 0) await together.at(-1);
      }
      const results = await Promise.all(together);
      for (const [i, { leaves, ...request }] of requests.entries()) {
        const { tokens } = await alone.submit(request).done;
        const [expected, result] = [Array.from(tokens), results[i]!];
        if (result === "cancelled") {
          cancelled++;
          expect(tokens.length).toBeGreaterThan(leaves!);
        } else if (await partByRounding(alone, request, expected, result)) ties++;
        else expect(result, `schedule ${schedule}, request ${i}`).toEqual(expected);
      }
    }
    // The schedules must have come across what they are about.
    expect(scheduler.stats.cachedTokens).toBeGreaterThan(SCHEDULES);
    expect(scheduler.stats.preemptions).toBeGreaterThan(SCHEDULES / 4);
    expect(cancelled).toBeGreaterThan(SCHEDULES / 4);
    expect(ties).toBeLessThanOrEqual(1 + SCHEDULES / 50); // of some 30 tokens a schedule
    await scheduler.close();
    await alone.close();
    await runnable.close();
    await single.close();
  });
});
