import type { Row, Session } from "@llm/target";
import { type NullDevice, openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { Scheduler, type SchedulerOptions } from "./scheduler.ts";

const VOCAB = 32;

const text = (length: number, seed = 1): number[] => Array.from({ length }, (_, i) => (i * i * 7 + seed * 13) % VOCAB);

interface Watched {
  readonly scheduler: Scheduler;
  /** Tokens of the rows that were sent so far, of prompts and of answers. */
  readonly sent: () => number;
  readonly steps: (readonly Row[])[];
}

function watched(
  like: NullDevice,
  options: SchedulerOptions = {},
  limits: Partial<Session["limits"]> = {},
  slots = 4,
): Watched {
  const session = openNull({ like, slots, context: 1024, prompt: 64, vocab: VOCAB, limits });
  const step = session.step.bind(session);
  const steps: (readonly Row[])[] = [];
  session.step = (rows) => {
    steps.push(rows.map((row) => ({ ...row, tokens: row.tokens.slice() })));
    return step(rows);
  };
  const sent = (): number => steps.flat().reduce((sum, { tokens }) => sum + tokens.length, 0);
  return { scheduler: new Scheduler(session, options), sent, steps };
}

describe("prompts that come together", () => {
  it.each(["cpu", "bm1684x"] as const)("are computed once where they are equal: %s", async (like) => {
    const { scheduler, sent } = watched(like);
    const prompt = text(600);
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => scheduler.submit({ prompt, maxNewTokens: 3 }).done));
    expect(outcomes.map(({ usage }) => usage.cachedTokens)).toEqual([0, 599, 599, 599]);
    expect(scheduler.stats.cachedTokens).toBe(3 * 599);
    expect(sent()).toBe(600 + 3 + 4 * 2);
    const alone = await watched(like).scheduler.submit({ prompt, maxNewTokens: 3 }).done;
    for (const { tokens } of outcomes) expect(tokens).toEqual(alone.tokens);
  });

  it("are computed as far as they are equal, by whoever comes first, and part then", async () => {
    const { scheduler, sent, steps } = watched("cpu", { promptTokensPerStep: 64 });
    const system = text(200);
    const conversation = [...system, ...text(100, 2)];
    const prompts = [
      [...system, ...text(10, 3)],
      [...conversation, ...text(5, 4)],
      [...conversation, ...text(8, 5)],
    ];
    const outcomes = await Promise.all(prompts.map((prompt) => scheduler.submit({ prompt, maxNewTokens: 1 }).done));
    expect(outcomes.map(({ usage }) => usage.cachedTokens)).toEqual([0, 200, 300]);
    expect(sent()).toBe(210 + 105 + 8);
    // Whoever waits for another's tokens copies them as soon as they are there, not at that one's end.
    const first = steps.findIndex((rows) => rows.some(({ at, tokens }) => at <= 200 && at + tokens.length > 200));
    expect(steps[first + 1]!.map(({ at }) => at)).toContain(200);
  });

  it("are each computed where histories can't be copied", async () => {
    const { scheduler, sent } = watched("aic100");
    await Promise.all([1, 2].map(() => scheduler.submit({ prompt: text(100), maxNewTokens: 1 }).done));
    expect(sent()).toBe(200);
  });

  it("are each computed under different adapters, and where their length counts and differs", async () => {
    const adapted = watched("cpu", {}, { adapters: 1 });
    await Promise.all(
      [0, 1].map((adapter) => adapted.scheduler.submit({ prompt: text(100), maxNewTokens: 1, adapter }).done),
    );
    expect(adapted.sent()).toBe(200);
    const scaled = watched("cpu", {}, { reach: true });
    const prompts = [text(100), text(100), text(101)];
    await Promise.all(prompts.map((prompt) => scaled.scheduler.submit({ prompt, maxNewTokens: 1 }).done));
    expect(scaled.sent()).toBe(100 + 1 + 101);
  });

  it("wait for no few tokens: those cost less than a step", async () => {
    const { scheduler, steps } = watched("cpu");
    await Promise.all([1, 2].map(() => scheduler.submit({ prompt: text(12), maxNewTokens: 1 }).done));
    expect(steps).toHaveLength(1);
  });

  it("are gone on with by another when whoever began leaves", async () => {
    const { scheduler, sent, steps } = watched("cpu", { promptTokensPerStep: 100 });
    const prompt = text(500);
    const first = scheduler.submit({ prompt, maxNewTokens: 1 });
    const others = [1, 2].map(() => scheduler.submit({ prompt, maxNewTokens: 1 }));
    const step = scheduler.session.step;
    scheduler.session.step = (rows) => {
      if (steps.length === 2) first.cancel();
      return step(rows);
    };
    await expect(first.done).rejects.toMatchObject({ name: "AbortError" });
    const outcomes = await Promise.all(others.map(({ done }) => done));
    expect(sent()).toBe(500 + 1);
    const alone = await watched("cpu").scheduler.submit({ prompt, maxNewTokens: 1 }).done;
    for (const { tokens } of outcomes) expect(tokens).toEqual(alone.tokens);
  });

  it("wait in nobody's way: whoever waits gives its turn to the one that computes for it, and the others keep theirs", async () => {
    const { scheduler, steps } = watched("cpu", { promptTokensPerStep: 64 });
    const order: string[] = [];
    const ask = (name: string, prompt: readonly number[], priority = 0): Promise<unknown> =>
      scheduler.submit({ prompt, priority, maxNewTokens: 1, onToken: () => void order.push(name) }).done;
    const urgent = text(400);
    await Promise.all([
      ask("idle", urgent), // the same text, for which somebody else is in a hurry
      ask("other", text(400, 2)),
      ask("short", text(20, 3)),
      ask("urgent", urgent, 1),
    ]);
    expect(order.slice(0, 2).sort()).toEqual(["idle", "urgent"]);
    expect(steps.slice(0, 6).every((rows) => rows.length === 1)).toBe(true);

    order.length = 0;
    const fair = watched("cpu", { promptTokensPerStep: 64 }).scheduler;
    let shortAt = 0;
    const equal = [1, 2].map(() => fair.submit({ prompt: text(900), maxNewTokens: 1 }).done);
    const short = fair.submit({
      prompt: text(20, 3),
      maxNewTokens: 1,
      onToken: () => void (shortAt = fair.stats.steps),
    });
    await Promise.all([...equal, short.done]);
    expect(shortAt).toBeLessThan(3);
  });

  it.each([true, false])(
    "give what a reader computed to those that go on from it, which came first: %s",
    async (first) => {
      const { scheduler, sent } = watched("cpu");
      const tokens = text(300);
      const submit = () => scheduler.submit({ prompt: tokens, maxNewTokens: 1 });
      const read = () => scheduler.read({ tokens, kind: "logits", from: 0, onRows: () => {} });
      const [outcome] = await Promise.all(
        first ? [submit(), read()].map(({ done }) => done) : [read(), submit()].reverse().map(({ done }) => done),
      );
      const { usage } = outcome!;
      expect(usage.cachedTokens).toBe(299);
      expect(sent()).toBe(300 + 1);
    },
  );

  it("are computed anew where there is no room for the copy", async () => {
    const { scheduler } = watched("cpu", {}, { context: 300, cacheTokens: 300 }, 2);
    const prompt = text(140);
    const outcomes = await Promise.all([1, 2].map(() => scheduler.submit({ prompt, maxNewTokens: 100 }).done));
    expect(outcomes.map(({ tokens }) => tokens.length)).toEqual([100, 100]);
    expect(outcomes[0]!.tokens).toEqual(outcomes[1]!.tokens);
    expect(scheduler.stats.preemptions).toBeGreaterThan(0);
  });
});
