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
