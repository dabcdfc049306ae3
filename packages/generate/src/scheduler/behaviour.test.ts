import { type Limits, type Row, type Session, SessionError } from "@llm/target";
import { type NullDevice, nullLogits, openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import type { SamplingOptions } from "../sampling/options.ts";
import { Scheduler, type SchedulerOptions } from "./scheduler.ts";

const VOCAB = 32;

interface Watched {
  readonly scheduler: Scheduler;
  /** Rows of every step so far. */
  readonly steps: (readonly Row[])[];
}

function watched(
  like: NullDevice,
  limits: Partial<Limits> = {},
  options: SchedulerOptions = {},
  change: Partial<Session> = {},
): Watched {
  const session = openNull({ like, slots: 4, context: 256, prompt: 16, vocab: VOCAB, limits });
  const steps: (readonly Row[])[] = [];
  const spy: Session = {
    specificationVersion: 1,
    limits: session.limits,
    step: (rows) => {
      steps.push(rows.map((row) => ({ ...row, tokens: row.tokens.slice() })));
      return session.step(rows);
    },
    trim: (slot, length) => session.trim(slot, length),
    ...(session.fork ? { fork: session.fork } : {}),
    ...(session.save ? { save: session.save } : {}),
    ...(session.restore ? { restore: session.restore } : {}),
    close: () => session.close(),
    ...change,
  };
  return { scheduler: new Scheduler(spy, options), steps };
}

const text = (length: number, seed = 1): Int32Array =>
  Int32Array.from({ length }, (_, i) => (i * 7 + seed * 13) % VOCAB);
const tokensIn = (steps: readonly (readonly Row[])[]): number =>
  steps.flat().reduce((sum, { tokens }) => sum + tokens.length, 0);

describe("continuous batching", () => {
  it("lets a request join and leave while others go on", async () => {
    const { scheduler, steps } = watched("cpu");
    const joined = Promise.withResolvers<number>();
    const long = scheduler.submit({
      prompt: [1, 2],
      maxNewTokens: 20,
      onToken: () => {
        if (steps.length === 5)
          joined.resolve(scheduler.submit({ prompt: [3], maxNewTokens: 3 }).done.then(() => steps.length) as never);
      },
    });
    expect(await joined.promise).toBeLessThan(12);
    await long.done;
    expect(steps).toHaveLength(20);
    expect(steps.filter((rows) => rows.length === 2)).toHaveLength(3);
  });

  it("never lets a long prompt stall those that decode, or a short prompt behind it", async () => {
    const { scheduler, steps } = watched("cpu", {}, { promptTokensPerStep: 16 });
    const decoding = scheduler.submit({ prompt: [5], maxNewTokens: 30 });
    const long = scheduler.submit({ prompt: text(200), maxNewTokens: 1 });
    let shortAt = 0;
    const short = scheduler.submit({
      prompt: text(10, 2),
      maxNewTokens: 1,
      onToken: () => void (shortAt = steps.length),
    });
    await Promise.all([decoding.done, long.done, short.done]);
    expect(steps.slice(1, 29).every((rows) => rows.some(({ tokens }) => tokens.length === 1))).toBe(true);
    for (const rows of steps) expect(tokensIn([rows])).toBeLessThanOrEqual(16 + 4);
    expect(shortAt).toBeLessThan(5);
  });

  it("sends a whole prompt at once to a device that is fast only from the beginning", async () => {
    const { scheduler, steps } = watched("bm1684x", {}, { promptTokensPerStep: 8 });
    await scheduler.submit({ prompt: text(100), maxNewTokens: 2 }).done;
    expect(steps.map(([row]) => row!.tokens.length)).toEqual([100, 1]);
  });

  it("runs in order of priority", async () => {
    const { scheduler } = watched("cpu", { slots: 1 });
    const order: string[] = [];
    const ask = (name: string, priority: number): Promise<unknown> =>
      scheduler.submit({ prompt: [1], maxNewTokens: 2, priority, onToken: () => void order.push(name) }).done;
    await Promise.all([ask("low", 0), ask("high", 5), ask("middle", 2)]);
    expect(order).toEqual(["high", "high", "middle", "middle", "low", "low"]);
  });

  it("doesn't let a request wait for ever behind more important ones", async () => {
    const { scheduler } = watched("cpu", { slots: 1, context: 2000, cacheTokens: 2000 });
    let lowDone = false;
    const low = scheduler.submit({ prompt: [1], maxNewTokens: 1, priority: 0 }).done.then(() => (lowDone = true));
    for (let i = 0; i < 40 && !lowDone; i++)
      await scheduler.submit({ prompt: [2], maxNewTokens: 20, priority: 1 }).done;
    expect(lowDone).toBe(true);
    await low;
  });

  it("makes room by computing anew: more important requests first, and nothing is lost", async () => {
    const { scheduler } = watched("cpu", { slots: 2, cacheTokens: 256 });
    const first = scheduler.submit({ prompt: text(100, 1), maxNewTokens: 100 });
    const second = scheduler.submit({ prompt: text(100, 2), maxNewTokens: 100 });
    const outcomes = await Promise.all([first.done, second.done]);
    expect(outcomes.map(({ tokens }) => tokens.length)).toEqual([100, 100]);
    expect(scheduler.stats.preemptions).toBeGreaterThan(0);
  });

  it("cancels at once, waiting or running, and gives the slot to the next", async () => {
    const { scheduler } = watched("cpu", { slots: 1 });
    const running = scheduler.submit({ prompt: [1], maxNewTokens: 200, onToken: () => running.cancel() });
    const waiting = scheduler.submit({ prompt: [1], maxNewTokens: 200 });
    const next = scheduler.submit({ prompt: [2], maxNewTokens: 3 });
    waiting.cancel(new Error("not needed"));
    await expect(running.done).rejects.toMatchObject({ name: "AbortError" });
    await expect(waiting.done).rejects.toThrow("not needed");
    expect((await next.done).tokens).toHaveLength(3);
    expect(() => scheduler.submit({ prompt: [1], maxNewTokens: 1, signal: AbortSignal.abort() })).toThrow(/abort/i);
  });
});

describe("prefix reuse", () => {
  it.each(["cpu", "aic100", "bm1684x"] as const)("computes a shared beginning once: %s", async (like) => {
    const { scheduler, steps } = watched(like);
    const system = text(64);
    await scheduler.submit({ prompt: [...system, 1, 2, 3], maxNewTokens: 4 }).done;
    const before = tokensIn(steps);
    const { usage } = await scheduler.submit({ prompt: [...system, 4, 5], maxNewTokens: 4 }).done;
    expect(usage).toEqual({ promptTokens: 66, cachedTokens: 64, completionTokens: 4 });
    expect(tokensIn(steps) - before).toBe(2 + 3);
  });

  it("finds a whole conversation again, and needs one token at least", async () => {
    const { scheduler } = watched("cpu");
    const first = await scheduler.submit({ prompt: text(20), maxNewTokens: 10 }).done;
    const { usage } = await scheduler.submit({ prompt: [...text(20), ...first.tokens, 7], maxNewTokens: 2 }).done;
    expect(usage.cachedTokens).toBe(29); // the last token of the answer was never run
    expect((await scheduler.submit({ prompt: text(20), maxNewTokens: 1 }).done).usage.cachedTokens).toBe(19);
  });

  it("shares what another request is still using, where histories can be copied", async () => {
    const { scheduler } = watched("cpu");
    const system = text(48);
    const second = Promise.withResolvers<number>();
    let asked = false;
    const first = scheduler.submit({
      prompt: [...system, 1],
      maxNewTokens: 30,
      onToken: () => {
        if (asked) return;
        asked = true;
        second.resolve(
          scheduler
            .submit({ prompt: [...system, 2], maxNewTokens: 2 })
            .done.then(({ usage }) => usage.cachedTokens) as never,
        );
      },
    });
    expect(await second.promise).toBe(48);
    await first.done;
  });

  it("doesn't go back further than the device can, nor prefill token by token where that is dearer", async () => {
    const ring = watched("aic100", { rewind: 8 });
    await ring.scheduler.submit({ prompt: text(40), maxNewTokens: 1 }).done;
    expect((await ring.scheduler.submit({ prompt: [...text(20), 1], maxNewTokens: 1 }).done).usage.cachedTokens).toBe(
      0,
    );
    const slow = watched("bm1684x");
    await slow.scheduler.submit({ prompt: text(40), maxNewTokens: 1 }).done;
    const { usage } = await slow.scheduler.submit({ prompt: [...text(40), ...text(30, 9)], maxNewTokens: 1 }).done;
    expect(usage.cachedTokens).toBe(0);
    expect(slow.steps.at(-1)![0]!.tokens).toHaveLength(70);
  });

  it("isn't done between prompts of unequal length where histories depend on it", async () => {
    const { scheduler } = watched("cpu", { reach: true });
    await scheduler.submit({ prompt: text(20), maxNewTokens: 1 }).done;
    expect((await scheduler.submit({ prompt: text(21), maxNewTokens: 1 }).done).usage.cachedTokens).toBe(0);
    expect((await scheduler.submit({ prompt: text(20), maxNewTokens: 1 }).done).usage.cachedTokens).toBe(19);
  });

  it("keeps a history as bytes, for another session of the same kind", async () => {
    const [one, other] = [watched("cpu"), watched("cpu")];
    await one.scheduler.submit({ prompt: text(50), maxNewTokens: 1 }).done;
    const bytes = await one.scheduler.save(text(50));
    expect(await other.scheduler.restore(bytes!)).toBe(50);
    const { usage, tokens } = await other.scheduler.submit({ prompt: [...text(50), 3], maxNewTokens: 5 }).done;
    expect(usage.cachedTokens).toBe(50);
    expect(tokens).toEqual((await one.scheduler.submit({ prompt: [...text(50), 3], maxNewTokens: 5 }).done).tokens);
    await expect(other.scheduler.restore(bytes!.subarray(0, 40))).rejects.toThrow(/no saved history|damaged/);
    expect(await watched("aic100").scheduler.save(text(5))).toBeUndefined();
  });
});

describe("when things go wrong", () => {
  it("ends what was under way with the device's error, and works again afterwards", async () => {
    const session = openNull({ slots: 2, vocab: VOCAB });
    let fails = 0;
    const { scheduler } = watched(
      "cpu",
      {},
      {},
      {
        step: async (rows) => {
          if (++fails === 3) throw new SessionError("device", "the card fell off the bus");
          return session.step(rows);
        },
        trim: (slot, length) => (slot < 2 ? session.trim(slot, length) : Promise.resolve()),
      },
    );
    await expect(scheduler.submit({ prompt: [1], maxNewTokens: 9 }).done).rejects.toThrow("fell off the bus");
    const { tokens } = await scheduler.submit({ prompt: [1, 2], maxNewTokens: 1 }).done;
    expect(nullLogits([1, 2], VOCAB)[tokens[0]!]).toBe(Math.max(...nullLogits([1, 2], VOCAB)));
  });

  it("keeps a request's own trouble to itself", async () => {
    const { scheduler } = watched("cpu");
    const deaf = scheduler.submit({
      prompt: [1],
      maxNewTokens: 5,
      onToken: () => {
        throw new Error("listener");
      },
    });
    const stuck = scheduler.submit({ prompt: [1], maxNewTokens: 5, allow: () => new Uint32Array(1) });
    const fine = scheduler.submit({ prompt: [1], maxNewTokens: 5 });
    await expect(deaf.done).rejects.toThrow("listener");
    await expect(stuck.done).rejects.toMatchObject({ code: "nothing-left" });
    expect((await fine.done).tokens).toHaveLength(5);
  });

  it("lets a device draw that can, and the text is the same", async () => {
    const sampling = { temperature: 0.9, topK: 6, topP: 0.9, minP: 0.05 };
    const request = { prompt: [1, 2, 3], maxNewTokens: 12, ignoreEos: true, sampling };
    const drawn = async (limits: Partial<Limits>, logprobs?: number) => {
      const { scheduler, steps } = watched("bm1684x", limits);
      const { tokens } = await scheduler.submit({ ...request, ...(logprobs ? { logprobs } : {}) }).done;
      const wants = steps.flat().flatMap(({ want }) => (want ? [want.kind] : []));
      return { ids: [...tokens], asked: [...new Set(wants)] };
    };
    const onHost = await drawn({});
    const draws: Partial<Limits> = { sampling: ["greedy", "sample"], sampleTopK: 6 };
    expect(onHost.asked).toEqual(["logits"]);
    expect(await drawn(draws)).toEqual({ ids: onHost.ids, asked: ["token"] });
    // What the device can't tell is asked of the logits, as before.
    expect(await drawn({ ...draws, sampleTopK: 5 })).toEqual(onHost);
    expect((await drawn(draws, 2)).asked).toEqual(["logits"]);
  });

  it("tells a device of the penalties that it knows, and where the answer begins", async () => {
    const draws: Partial<Limits> = { wants: ["token"], sampling: ["greedy", "sample"], masks: false };
    const asked = async (sampling: SamplingOptions, samplePenalties: Limits["samplePenalties"] = []) => {
      const { scheduler, steps } = watched("bm1684x", { ...draws, samplePenalties });
      await scheduler.submit({ prompt: [1, 2, 3], maxNewTokens: 2, ignoreEos: true, sampling }).done;
      return steps.flat().flatMap(({ want }) => (want?.kind === "token" ? [want.sampling] : []));
    };
    const penalties = { repetitionPenalty: 1.2, presencePenalty: 0.5 };
    const told = { method: "greedy", ...penalties, answerFrom: 3 };
    expect(await asked(penalties, ["repetition", "presence"])).toEqual([told, told]);
    expect(await asked({ repetitionPenalty: 1, presencePenalty: 0 })).toEqual([
      { method: "greedy" },
      { method: "greedy" },
    ]);
    // What clients send by habit, and what asks for nothing.
    const habits = { frequencyPenalty: 0, logitBias: {}, noRepeatNgramSize: 0, badWordsIds: [], topP: 1, typicalP: 1 };
    expect(await asked(habits)).toEqual([{ method: "greedy" }, { method: "greedy" }]);
    const drawn = await asked({ ...habits, temperature: 0.5 });
    expect(drawn).toMatchObject([{ method: "sample", temperature: 0.5 }, { method: "sample" }]);
    await expect(asked(penalties, ["presence"])).rejects.toThrow(/gives only token/);
    await expect(asked({ presencePenalty: 1, frequencyPenalty: 1 }, ["presence"])).rejects.toThrow(
      "gives only token, which frequencyPenalty can't be done with",
    );
    const { scheduler } = watched("bm1684x", { ...draws, masksBy: "--with-masks" });
    for (const logprobs of [0, 1])
      expect(() => scheduler.submit({ prompt: [1], maxNewTokens: 1, logprobs })).toThrow(
        "gives only token, which logprobs can't be done with",
      );
    const guided = scheduler.submit({ prompt: [1], maxNewTokens: 1, allow: () => Uint32Array.of(6) });
    await expect(guided.done).rejects.toThrow("it takes no mask of what may come (made with --with-masks it does)");
  });

  it("refuses at once what can't be done", () => {
    const { scheduler } = watched("cpu");
    expect(() => scheduler.submit({ prompt: [], maxNewTokens: 1 })).toThrow(/no tokens/);
    expect(() => scheduler.submit({ prompt: [VOCAB], maxNewTokens: 1 })).toThrow(
      /token 32 is not in the vocabulary of 32/,
    );
    expect(() => scheduler.submit({ prompt: [1], maxNewTokens: 0 })).toThrow(/maxNewTokens is 0/);
    const tokenOnly = watched("bm1684x", { wants: ["token"] }).scheduler;
    expect(() => tokenOnly.submit({ prompt: [1], maxNewTokens: 1, sampling: { temperature: 1 } })).toThrow(
      /gives only token/,
    );
  });
});
