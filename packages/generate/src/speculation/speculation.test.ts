import type { Session } from "@llm/target";
import { openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { randomState } from "../random/random-state.ts";
import type { SamplingOptions } from "../sampling/options.ts";
import type { GenerateRequest } from "../scheduler/request.ts";
import { Scheduler, type SchedulerOptions } from "../scheduler/scheduler.ts";
import { draftLength } from "./draft-length.ts";
import { StepCosts } from "./step-costs.ts";

const VOCAB = 64;
const open = (): Session => openNull({ slots: 3, context: 256, vocab: VOCAB });

/** A model that says something else than the null model, `share` of the time. */
function mistaken(share: number): Session {
  const session = open();
  let calls = 0;
  return {
    ...{ specificationVersion: 1, limits: session.limits },
    step: async (rows) => {
      const results = await session.step(rows);
      calls++;
      return results.map((result) =>
        calls % 10 < share * 10 && result.logits ? { logits: result.logits.map((x) => -x) } : result,
      );
    },
    trim: (slot, length) => session.trim(slot, length),
    close: () => session.close(),
  };
}

/** The same session, whose steps tell a clock how long they take. */
function timed(session: Session, took: (tokens: number) => void): Session {
  const step = session.step.bind(session);
  session.step = (rows) => {
    took(rows.reduce((sum, { tokens }) => sum + tokens.length, 0));
    return step(rows);
  };
  return session;
}

/** The model's steps all take a millisecond, and those of a draft model no time. */
function withClock(session: Session, options: SchedulerOptions = {}): Scheduler {
  let now = 0;
  return new Scheduler(
    timed(session, () => void now++),
    { now: () => now, ...options },
  );
}

const request = (sampling: SamplingOptions = {}, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  prompt: [1, 2, 3, 4],
  maxNewTokens: 100,
  sampling,
  random: randomState(3),
  ...more,
});

async function plain(asked: GenerateRequest, context = 256): Promise<number[]> {
  const scheduler = new Scheduler(openNull({ slots: 3, context, vocab: VOCAB }));
  const { tokens } = await scheduler.submit(asked).done;
  await scheduler.close();
  return Array.from(tokens);
}

describe("a draft model", () => {
  it.each<[string, SamplingOptions]>([
    ["greedy", {}],
    ["drawn", { temperature: 1 }],
    ["drawn from few, with penalties", { temperature: 0.8, topK: 9, repetitionPenalty: 1.4 }],
  ])("that says what the model says takes most of its steps: %s", async (_, sampling) => {
    const asked = request(sampling);
    const scheduler = withClock(open(), { draft: open() });
    const { tokens, usage } = await scheduler.submit({ ...asked, speculate: true }).done;
    expect(Array.from(tokens)).toEqual(await plain(asked));
    expect(usage.acceptedTokens).toBe(usage.draftTokens);
    expect(scheduler.stats.steps).toBeLessThan(60);
    expect(scheduler.stats).toMatchObject({ draftTokens: usage.draftTokens, acceptedTokens: usage.acceptedTokens });
    await scheduler.close();
  });

  it.each([0.3, 1])("that is wrong changes nothing (%f of the time)", async (share) => {
    const asked = request({ temperature: 1.1 });
    const scheduler = withClock(open(), { draft: mistaken(share) });
    const several = [1, 2, 3, 4, 5].map((seed) => ({ ...asked, random: randomState(seed) }));
    const outcomes = await Promise.all(several.map((one) => scheduler.submit({ ...one, speculate: true }).done));
    for (const [i, { tokens }] of outcomes.entries()) expect(Array.from(tokens)).toEqual(await plain(several[i]!));
    await scheduler.close();
  });

  it("that is always wrong is hardly asked any more", async () => {
    let steps = 0;
    let now = 0;
    const draft = timed(mistaken(1), () => {
      steps++;
      now += 0.2; // a fifth of what the larger model takes
    });
    const model = timed(open(), () => void now++);
    const scheduler = new Scheduler(model, { draft, now: () => now });
    await scheduler.submit(request({}, { maxNewTokens: 240, speculate: true })).done;
    expect(steps).toBeLessThan(60);
    await scheduler.close();
  });

  it("is worth its time after a long prompt, too, which it reads beside the model's steps", async () => {
    const prompt = Array.from({ length: 150 }, (_, i) => i % VOCAB);
    const read: number[] = [];
    let now = 0;
    // A tenth of the model's time for a token: what it reads of the prompt takes longer than all that it guesses.
    const alone = (): Session => openNull({ slots: 1, context: 256, vocab: VOCAB });
    const draft = timed(alone(), (tokens) => {
      read.push(tokens);
      now += 0.1 * tokens;
    });
    const model = timed(alone(), () => void now++);
    const scheduler = new Scheduler(model, { draft, now: () => now, promptTokensPerStep: 20 });
    const asked = request({}, { prompt, maxNewTokens: 100 });
    const { tokens, usage } = await scheduler.submit({ ...asked, speculate: true }).done;
    expect(Array.from(tokens)).toEqual(await plain(asked));
    expect(Math.max(...read)).toBeLessThanOrEqual(32);
    expect(usage.acceptedTokens).toBeGreaterThan(60);
    await scheduler.close();
  });

  it.each([
    [512, 100],
    [8, 300], // its device can't go back so far
  ])("reads what a text has in common with one before it once, %i tokens back at most", async (rewind, most) => {
    const read: number[] = [];
    const device = openNull({ slots: 1, context: 512, vocab: VOCAB, limits: { rewind } });
    const draft = timed(device, (tokens) => void read.push(tokens));
    const scheduler = withClock(openNull({ slots: 2, context: 512, vocab: VOCAB }), { draft });
    const prompt = Array.from({ length: 150 }, (_, i) => (i * i) % VOCAB);
    const first = await scheduler.submit(request({}, { prompt, maxNewTokens: 20, speculate: true })).done;
    read.length = 0;
    const asked = request({}, { prompt: [...prompt, ...first.tokens.slice(0, 4), 5, 6], maxNewTokens: 40 });
    const { tokens, usage } = await scheduler.submit({ ...asked, speculate: true }).done;
    expect(Array.from(tokens)).toEqual(await plain(asked, 512));
    expect(usage.acceptedTokens).toBeGreaterThan(10);
    expect(read.reduce((sum, count) => sum + count, 0)).toBeLessThan(most);
    expect(scheduler.stats).not.toHaveProperty("draftFailure");
    await scheduler.close();
  });

  it("has nothing to say to some requests, and goes on for others", async () => {
    const few: Session = mistaken(0);
    const step = few.step.bind(few);
    // It knows but the first eight tokens.
    few.step = async (rows) =>
      (await step(rows)).map(({ logits, ...rest }) => (logits ? { ...rest, logits: logits.subarray(0, 8) } : rest));
    const scheduler = withClock(open(), { draft: { ...few, limits: { ...few.limits, vocab: VOCAB } } });
    const suppressTokens = [0, 1, 2, 3, 4, 5, 6, 7];
    const outside = request({ suppressTokens }, { speculate: true });
    const inside = request({ suppressTokens: suppressTokens.map((id) => id + 8) }, { speculate: true });
    const { tokens } = await scheduler.submit(outside).done;
    expect(Array.from(tokens)).toEqual(await plain(outside));
    expect(scheduler.stats).not.toHaveProperty("draftFailure");
    await scheduler.submit(inside).done;
    expect(scheduler.stats.draftTokens).toBeGreaterThan(0);
    await scheduler.close();
  });

  it("that fails is left alone from then on", async () => {
    const draft = open();
    const failing = {
      ...mistaken(0),
      step: () => Promise.reject(new Error("out of memory")),
      close: () => draft.close(),
    };
    const scheduler = withClock(open(), { draft: failing });
    const asked = request();
    const { tokens } = await scheduler.submit({ ...asked, speculate: true }).done;
    expect(Array.from(tokens)).toEqual(await plain(asked));
    expect(scheduler.stats.draftFailure).toMatchObject({ message: "out of memory" });
    await scheduler.close();
  });

  it("is refused where it can't work", () => {
    const lockstep = openNull({ like: "aic100-recipe", vocab: VOCAB });
    expect(() => new Scheduler(open(), { draft: lockstep })).toThrow("must go back over tokens");
    expect(() => new Scheduler(lockstep, { draft: open() })).toThrow("a draft model is of no use");
  });
});

describe("guesses and what ends a text", () => {
  it("stops at the token that a listener stops at, and says no more", async () => {
    const asked = request();
    const answer = await plain(asked);
    const heard: number[] = [];
    const scheduler = withClock(open());
    const outcome = await scheduler.submit({
      ...asked,
      prediction: answer,
      onToken: ({ id }) => heard.push(id) === 37,
    }).done;
    expect(heard).toEqual(answer.slice(0, 37));
    expect(outcome).toMatchObject({ finishReason: "stop", usage: { completionTokens: 37 } });
    expect(scheduler.stats.steps).toBeLessThan(12);
    await scheduler.close();
  });

  it("asks for a mask after every token, in order, and sends nothing that isn't viable", async () => {
    const lengths: number[] = [];
    const allow = (generated: Int32Array): Uint32Array => {
      lengths.push(generated.length);
      return Uint32Array.of(0xffffffff, generated.length % 3 === 0 ? 0 : 0xff);
    };
    const asked = request({ temperature: 1 });
    const answer = await plain({ ...asked, allow });
    lengths.length = 0;
    const seen: number[] = [];
    const scheduler = withClock(open());
    const outcome = await scheduler.submit({
      ...asked,
      allow,
      prediction: answer,
      viable: (generated, guess) => {
        seen.push(generated.length);
        return Math.min(2, guess.length);
      },
    }).done;
    expect(Array.from(outcome.tokens)).toEqual(answer);
    expect(lengths).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(seen.length).toBeGreaterThan(30); // two guesses a step
    expect(scheduler.stats.steps).toBeGreaterThan(30);
    await scheduler.close();
  });

  it("refuses a prediction of tokens that there aren't", () => {
    expect(() => new Scheduler(open()).submit(request({}, { prediction: [VOCAB] }))).toThrow(
      "the prediction's token 64",
    );
  });
});

describe("how much is guessed", () => {
  const sure = [0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99];

  it("is nothing where longer steps cost what they give", () => {
    const costs = new StepCosts(1);
    expect(draftLength({ chances: sure, most: 15, rows: 1, costs })).toBe(0);
  });

  it("follows what longer steps turn out to cost, and what guesses cost", () => {
    const costs = new StepCosts(8);
    expect(draftLength({ chances: sure, most: 15, rows: 1, costs })).toBe(7);
    for (let i = 0; i < 3; i++) {
      costs.observe(1, 1, 10);
      costs.observe(1, 4, 12);
      costs.observe(1, 8, 60);
      costs.observe(1, 16, 120);
    }
    expect(draftLength({ chances: sure, most: 15, rows: 1, costs })).toBe(3);
    expect(draftLength({ chances: sure, most: 15, rows: 1, costs, perToken: 1.1 })).toBe(0);
    expect(draftLength({ chances: [0.3, 0.3, 0.3], most: 15, rows: 1, costs })).toBe(1);
    expect(draftLength({ chances: [0.02, 0.02], most: 15, rows: 1, costs })).toBe(0);
  });

  it("tries longer steps where drafts come true, and believes at the second time that one is dear", () => {
    const costs = new StepCosts(4);
    for (let i = 0; i < 3; i++) {
      costs.observe(1, 1, 10);
      costs.observe(1, 2, 18);
      costs.observe(1, 4, 20);
    }
    const length = (): number => draftLength({ chances: sure, most: 15, rows: 1, costs });
    expect(length()).toBe(15);
    costs.observe(1, 16, 60);
    expect(length()).toBe(15);
    costs.observe(1, 16, 60);
    expect(length()).toBe(7);
  });
});
