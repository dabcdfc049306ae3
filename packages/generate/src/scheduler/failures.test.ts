import { SessionError } from "@llm/target";
import { NULL_DEVICES, openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import type { GenerateRequest } from "./request.ts";
import { Scheduler } from "./scheduler.ts";

const VOCAB = 40;
const all = (): Uint32Array => new Uint32Array(2).fill(-1);

describe.each(NULL_DEVICES)("one request's mistake, on a device like %s", (like) => {
  const mistakes: readonly (readonly [name: string, allow: NonNullable<GenerateRequest["allow"]>, error: RegExp])[] = [
    ["a mask that is too short", () => new Uint32Array(1), /a mask of 1 words, but a vocabulary of 40 takes 2/],
    ["a mask that is too long", () => new Uint32Array(3), /a mask of 3 words/],
    [
      "an allow that throws at its second token",
      (generated) => {
        if (generated.length === 1) throw new Error("no such grammar");
        return all();
      },
      /no such grammar/,
    ],
  ];

  it.each(mistakes)("ends that request alone: %s", async (_, allow, error) => {
    const open = (): Scheduler => new Scheduler(openNull({ like, slots: 3, context: 64, vocab: VOCAB }));
    const alone = await open().submit({ prompt: [1, 2, 3], maxNewTokens: 8 }).done;
    const scheduler = open();
    const others = [0, 1].map(() => scheduler.submit({ prompt: [1, 2, 3], maxNewTokens: 8 }));
    const wrong = scheduler.submit({ prompt: [4], maxNewTokens: 8, allow });
    await expect(wrong.done).rejects.toThrow(error);
    for (const { done } of others) expect((await done).tokens).toEqual(alone.tokens);
    await scheduler.close();
  });
});

describe("a model that gives no numbers", () => {
  const noNumbers = (kind: "token" | "top"): Scheduler => {
    const session = openNull({ like: "cpu", slots: 1, context: 64, vocab: VOCAB, limits: { wants: [kind] } });
    const step = session.step.bind(session);
    session.step = async (rows) => {
      await step(rows);
      const none = Int32Array.of(-1);
      const top = { ids: none, logits: Float32Array.of(-Infinity), logSumExp: Float32Array.of(NaN) };
      return rows.map(() => (kind === "token" ? { tokens: none } : { top }));
    };
    return new Scheduler(session);
  };

  it.each(["token", "top"] as const)("is to blame where its device finds no best %s", async (kind) => {
    const scheduler = noNumbers(kind);
    await expect(scheduler.submit({ prompt: [1], maxNewTokens: 4 }).done).rejects.toMatchObject({
      code: "logits-invalid",
      message: "the model's logits hold NaN: its weights or its computation went wrong",
    });
    const allow = (): Uint32Array => new Uint32Array(2);
    await expect(scheduler.submit({ prompt: [1], maxNewTokens: 4, allow }).done).rejects.toMatchObject({
      code: "nothing-left",
    });
    await scheduler.close();
  });
});

describe("a mask", () => {
  it("is asked for once for each token, though steps are planned anew", async () => {
    const limits = { cacheTokens: 64 };
    const scheduler = new Scheduler(openNull({ like: "aic100", slots: 2, context: 64, vocab: VOCAB, limits }));
    const asked: number[][] = [[], []];
    const requests = asked.map(
      (lengths, i) =>
        scheduler.submit({
          prompt: [i, 2, 3],
          maxNewTokens: 40,
          allow: (generated) => {
            lengths.push(generated.length);
            return all();
          },
        }).done,
    );
    await Promise.all(requests);
    expect(scheduler.stats.preemptions).toBeGreaterThan(0);
    for (const lengths of asked) expect(lengths).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });
});

describe("what a device could not be asked", () => {
  it.each([
    [{ adapter: 99 }, /no adapter 99: this device can load 0/],
    [{ adapter: -1 }, /no adapter -1/],
    [{ priority: Number.NaN }, /priority is NaN/],
    [{ logprobs: 1.5 }, /logprobs is 1.5/],
  ])("is refused at once: %o", (options, error) => {
    const scheduler = new Scheduler(openNull({ vocab: VOCAB }));
    expect(() => scheduler.submit({ prompt: [1], maxNewTokens: 1, ...options })).toThrow(error);
  });
});

describe("a device that fails for good", () => {
  /** A session whose steps and trims fail from the third step on, and how often it was closed. */
  function dying(): { readonly scheduler: Scheduler; readonly closed: () => number } {
    const session = openNull({ slots: 2, vocab: VOCAB });
    let steps = 0;
    let closed = 0;
    const scheduler = new Scheduler({
      specificationVersion: 1,
      limits: session.limits,
      step: (rows) => (++steps < 3 ? session.step(rows) : Promise.reject(new SessionError("device", "it burns"))),
      trim: () => Promise.reject(new SessionError("device", "it still burns")),
      save: (slot) => session.save!(slot),
      close: () => {
        closed++;
        return session.close();
      },
    });
    return { scheduler, closed: () => closed };
  }

  it("is closed once all the same, and says why nothing more is taken", async () => {
    const { scheduler, closed } = dying();
    const requests = [1, 2, 3].map((id) => scheduler.submit({ prompt: [id], maxNewTokens: 9 }).done);
    for (const outcome of await Promise.allSettled(requests))
      expect(outcome).toMatchObject({ status: "rejected", reason: { message: "it burns" } });
    const later = async (): Promise<unknown> => scheduler.submit({ prompt: [1], maxNewTokens: 1 }).done;
    await expect(later()).rejects.toThrow(/the device failed.*it burns/);
    await expect(later()).rejects.toMatchObject({
      name: "DeviceFailedError",
      code: "device-failed",
      cause: { message: "it burns" },
    });
    await expect(scheduler.save(Int32Array.of(1))).rejects.toThrow(/the device failed.*it burns/);
    await Promise.all([scheduler.close(), scheduler.close()]);
    await scheduler.close();
    expect(closed()).toBe(1);
    await expect(later()).rejects.toThrow("the generator is closed");
  });

  it("loses nobody who was about to make room", async () => {
    const limits = { cacheTokens: 64 };
    const session = openNull({ like: "aic100", slots: 2, context: 64, vocab: VOCAB, limits });
    let trims = 0;
    const scheduler = new Scheduler(
      {
        specificationVersion: 1,
        limits: session.limits,
        step: (rows) => session.step(rows),
        trim: (slot, length) =>
          ++trims === 1 ? Promise.reject(new SessionError("device", "a hiccup")) : session.trim(slot, length),
        close: () => session.close(),
      },
      { reusePrefixes: false }, // whoever makes room is trimmed at once
    );
    const requests = [1, 2].map((id) => scheduler.submit({ prompt: [id], maxNewTokens: 40 }).done);
    const outcomes = await Promise.allSettled(requests);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await scheduler.close();
  });
});

describe("a device that loses some of its slots", () => {
  it("fails what was in those, and the rest goes on as if nothing had been", async () => {
    const open = () => openNull({ like: "cpu", slots: 4, context: 64, vocab: VOCAB });
    const alone = await new Scheduler(open()).submit({ prompt: [1, 2, 3], maxNewTokens: 12 }).done;
    const session = open();
    const step = session.step.bind(session);
    let steps = 0;
    session.step = async (rows) => {
      if (steps++ !== 4) return step(rows);
      for (const { slot } of rows) if (slot < 2) await session.trim(slot, 0);
      throw new SessionError("device", "a shard has died", { lost: [0, 1] });
    };
    const scheduler = new Scheduler(session);
    const requests = Array.from({ length: 4 }, () => scheduler.submit({ prompt: [1, 2, 3], maxNewTokens: 12 }));
    const ends = await Promise.allSettled(requests.map(({ done }) => done));
    expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(2);
    for (const end of ends)
      if (end.status === "fulfilled") expect(end.value.tokens).toEqual(alone.tokens);
      else expect(end.reason).toMatchObject({ message: "a shard has died" });
    expect((await scheduler.submit({ prompt: [1, 2, 3], maxNewTokens: 12 }).done).tokens).toEqual(alone.tokens);
    await scheduler.close();
  });

  it.each(["at once", "later"])(
    "fails whom it can't give a copy, and the rest goes on: a request that comes %s",
    async (when) => {
      const session = openNull({ like: "cpu", slots: 3, context: 64, vocab: VOCAB });
      let copies = 0;
      session.fork = async (moves) => {
        if (++copies > 9) throw new Error("it is tried again and again");
        throw new SessionError("device", "no copies", { lost: moves.map(({ to }) => to) });
      };
      const scheduler = new Scheduler(session);
      const prompt = Array.from({ length: 40 }, (_, i) => i % VOCAB);
      const requests: Promise<unknown>[] = [];
      const ask = (onToken?: () => void): void =>
        void requests.push(scheduler.submit({ prompt, maxNewTokens: 9, ...(onToken ? { onToken } : {}) }).done);
      let isFirst = true;
      ask(() => {
        if (isFirst && when === "later") ask();
        isFirst = false;
      });
      if (when === "at once") ask();
      const first = requests[0]!;
      await first;
      const outcomes = await Promise.allSettled(requests);
      expect(outcomes).toMatchObject([
        { status: "fulfilled" },
        { status: "rejected", reason: { message: "no copies" } },
      ]);
      expect(copies).toBe(1);
      await scheduler.close();
    },
  );

  it("may tell so when it is asked for what to keep: what was cached there is computed anew", async () => {
    const session = openNull({ like: "cpu", slots: 2, context: 64, vocab: VOCAB });
    const scheduler = new Scheduler(session);
    const request = { prompt: [1, 2, 3], maxNewTokens: 1 };
    const before = await scheduler.submit(request).done;
    session.save = async (slot) => {
      await session.trim(slot, 0);
      throw new SessionError("device", "a shard has died", { lost: [slot] });
    };
    const other = scheduler.submit({ prompt: [9, 8, 7], maxNewTokens: 40 }).done;
    await expect(scheduler.save(Int32Array.from(request.prompt))).rejects.toThrow("a shard has died");
    expect((await scheduler.submit(request).done).tokens).toEqual(before.tokens);
    expect((await other).tokens).toHaveLength(40);
    await scheduler.close();
  });
});
