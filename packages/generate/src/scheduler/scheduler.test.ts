import type { Limits } from "@llm/target";
import { NULL_DEVICES, nullLogits, openNull } from "@llm/target/null";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomState } from "../random/random-state.ts";
import type { SamplingOptions } from "../sampling/options.ts";
import { Sampler } from "../sampling/sampler.ts";
import type { GenerateOutcome, GenerateRequest, Ticket } from "./request.ts";
import { Scheduler } from "./scheduler.ts";

const SMALL = 11;
const LARGE = 8200; // more than is weighed whole: other ways to filter and draw
const CONTEXT = 64;
const EOS = 3;

/** What a request gives alone, straight from the definition of the null model. */
function alone(
  { prompt, maxNewTokens, sampling = {}, random = randomState(), ignoreEos, allow }: GenerateRequest,
  { room, vocab }: { readonly room: number; readonly vocab: number },
): number[] {
  const sampler = new Sampler(sampling, { vocab, eos: [EOS] });
  const tokens = Array.from(prompt);
  let state = random;
  while (tokens.length - prompt.length < maxNewTokens && tokens.length < room) {
    const history = { tokens, length: tokens.length, promptLength: prompt.length };
    const mask = allow?.(Int32Array.from(tokens.slice(prompt.length)));
    const choice = sampler.choose(nullLogits(tokens, vocab), history, state, mask);
    tokens.push(choice.token);
    state = choice.random;
    if (!ignoreEos && choice.token === EOS) break;
  }
  return tokens.slice(prompt.length);
}

const SAMPLINGS: readonly SamplingOptions[] = [
  {},
  { temperature: 1 },
  { temperature: 0.8, topK: 5 },
  { temperature: 1, topP: 0.6 },
  { temperature: 1.2, minP: 0.2 },
  { temperature: 0.9, topK: 40, topP: 0.9, minP: 0.05 },
  { repetitionPenalty: 1.3, noRepeatNgramSize: 3 },
];

/** Two tokens of three, which ones depends on all that was said; now and then nothing is ruled out. */
function maskAfter(generated: Int32Array, vocab: number): Uint32Array | undefined {
  const turn = generated.reduce((sum, id) => sum + id, generated.length) % 4;
  if (turn === 3) return undefined;
  const mask = new Uint32Array(Math.ceil(vocab / 32));
  for (let id = 0; id < vocab; id++) if (id % 3 !== turn) mask[id >>> 5]! |= 1 << (id & 31);
  return mask;
}

/** What many prompts begin with: enough that those which come together wait for one another. */
const system = [1, 5, 2, 8, 1, 9, 4, 7, 7, 2, 6, 0, 3, 9, 9, 1, 4, 8, 5, 5, 2, 10, 6, 7, 8, 3, 1, 0];

const request = fc.record({
  shared: fc.oneof(fc.integer({ min: 0, max: system.length }), fc.constant(system.length)),
  own: fc.array(fc.nat(SMALL - 1), { minLength: 1, maxLength: 20 }),
  maxNewTokens: fc.integer({ min: 1, max: 24 }),
  sampling: fc.constantFrom(...SAMPLINGS),
  seed: fc.nat(1000),
  ignoreEos: fc.boolean(),
  masked: fc.boolean(),
  priority: fc.integer({ min: 0, max: 2 }),
  guessing: fc.constantFrom("not", "text", "well", "badly"),
  joins: fc.oneof(fc.nat(12), fc.constant(0)), // after this many of the others' tokens
  leaves: fc.option(fc.nat(6), { nil: undefined, freq: 5 }), // cancelled after this many of its own
});

const schedule = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 9 }),
  slots: fc.integer({ min: 1, max: 4 }),
  pressure: fc.double({ min: 0.3, max: 1, noNaN: true }),
  budget: fc.integer({ min: 1, max: 40 }),
  vocab: fc.constantFrom<number[]>(...Array.from({ length: 24 }, () => SMALL), LARGE),
});

/** Room was made for a copy by emptying the slot it was to go to, and counted twice. */
const onceWrong = {
  requests: [
    { shared: 4, own: [0, 0, 0, 0], maxNewTokens: 3, priority: 1, joins: 2 },
    { shared: 10, own: [0, 0, 0, 0, 0], maxNewTokens: 5, priority: 2, joins: 4 },
    { shared: 6, own: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], maxNewTokens: 4, priority: 2, joins: 7 },
    { shared: 6, own: [1, 1, 6, 0], maxNewTokens: 9, priority: 1, joins: 0 },
    { shared: 1, own: [0], maxNewTokens: 4, priority: 0, joins: 0 },
  ].map((one) => ({
    ...one,
    sampling: {},
    seed: 0,
    ignoreEos: false,
    masked: false,
    guessing: "not" as const,
    leaves: undefined,
  })),
  slots: 4,
  pressure: 0.3,
  budget: 10,
  vocab: SMALL,
};

/** How a request has its answer guessed: from the text, or from what it will be, with mistakes. */
function guessing(how: string, answer: readonly number[]): Partial<GenerateRequest> {
  if (how === "not") return {};
  if (how === "text") return { speculate: true };
  return { prediction: how === "well" ? answer : answer.flatMap((id, i) => (i % 5 === 3 ? [(id + 1) % SMALL] : [id])) };
}

/** Sizes that make room scarce, where the device allows that. */
function squeezed(like: string, slots: number, pressure: number): Partial<Limits> {
  const whole = slots * CONTEXT;
  const verify = { verify: 4 }; // as if compiled for it, on devices with fixed shapes
  return like === "aic100-recipe" ? {} : { ...verify, cacheTokens: Math.max(CONTEXT, Math.ceil(whole * pressure)) };
}

describe.each(NULL_DEVICES)("scheduler on a device like %s", (like) => {
  it("gives each request the tokens it gets alone, whatever else happens (1,000 random schedules)", async () => {
    let preemptions = 0;
    let cachedTokens = 0;
    let large = 0;
    let accepted = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(schedule, async ({ requests, slots, pressure, budget, vocab }) => {
        const limits = squeezed(like, slots, pressure);
        const session = openNull({ like, slots, context: CONTEXT, prompt: 6, vocab, limits });
        let now = 0;
        const scheduler = new Scheduler(session, { promptTokensPerStep: budget, now: () => now++ });
        let heard = 0;
        const expected: number[][] = [];
        const results: Promise<GenerateOutcome | "cancelled">[] = [];
        const late = requests.map((one, i) => ({ ...one, i })).sort((a, b) => a.joins - b.joins);
        const join = (): void => {
          while (late.length > 0 && (late[0]!.joins <= heard || results.filter(Boolean).length === settled)) {
            const { i, shared, own, maxNewTokens, sampling, seed, ignoreEos, masked, priority, leaves, ...rest } =
              late.shift()!;
            const prompt = [...system.slice(0, shared), ...own];
            let mine = 0;
            const plain: GenerateRequest = {
              prompt,
              maxNewTokens,
              sampling,
              random: randomState(seed),
              ignoreEos,
              priority,
              stopTokens: [EOS],
              ...(masked ? { allow: (generated: Int32Array) => maskAfter(generated, vocab) } : {}),
            };
            expected[i] = alone(plain, { room: scheduler.room, vocab });
            const ticket: Ticket = scheduler.submit({
              ...plain,
              ...guessing(rest.guessing, expected[i]!),
              onToken: () => {
                heard++;
                if (mine++ === leaves) ticket.cancel();
                join();
              },
            });
            results[i] = ticket.done
              .catch((reason: unknown) => {
                if ((reason as Error).name === "AbortError") return "cancelled" as const;
                throw reason;
              })
              .finally(() => {
                settled++;
                join();
              });
          }
        };
        let settled = 0;
        join();
        while (late.length > 0) await Promise.all(results);
        const outcomes = await Promise.all(results);
        outcomes.forEach((outcome, i) => {
          const { leaves } = requests[i]!;
          if (outcome === "cancelled") expect(leaves).toBeLessThan(expected[i]!.length);
          else {
            expect(Array.from(outcome.tokens)).toEqual(expected[i]);
            expect(outcome.usage.cachedTokens).toBeLessThanOrEqual(outcome.usage.promptTokens);
          }
        });
        preemptions += scheduler.stats.preemptions;
        cachedTokens += scheduler.stats.cachedTokens;
        accepted += scheduler.stats.acceptedTokens;
        refused += scheduler.stats.draftTokens - scheduler.stats.acceptedTokens;
        if (vocab === LARGE) large++;
        await scheduler.close();
      }),
      { numRuns: 1000, examples: [[onceWrong]] },
    );
    // The schedules must really have come across what they are about.
    expect(large).toBeGreaterThan(5); // some 40
    if (like !== "aic100-recipe") {
      expect(preemptions).toBeGreaterThan(100); // some 400
      expect(cachedTokens).toBeGreaterThan(1000); // some 8,000
      expect(accepted).toBeGreaterThan(1000);
      expect(refused).toBeGreaterThan(200);
    }
  });
});
