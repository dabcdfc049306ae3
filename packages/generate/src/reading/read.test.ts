import type { Session } from "@llm/target";
import { NULL_DEVICES, nullLogits, openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { Scheduler } from "../scheduler/scheduler.ts";
import { embeddingOf, followedBy, logitsAfter, logprobsOf } from "./read.ts";

const VOCAB = 40;
const text = Array.from({ length: 30 }, (_, i) => (i * 11) % VOCAB);
const open = (like: (typeof NULL_DEVICES)[number]): Session =>
  openNull({ like, slots: 3, context: 64, prompt: 7, vocab: VOCAB, width: 8 });

function logSoftmax(logits: Float32Array): number[] {
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
  return Array.from(logits, (x) => x - total);
}

describe.each(NULL_DEVICES)("reading on a device like %s", (like) => {
  it("tells how likely each token was after those before it, however the text is cut into steps", async () => {
    const scheduler = new Scheduler(open(like), { promptTokensPerStep: 5 });
    const [told, again, other] = await Promise.all([
      logprobsOf(scheduler, text, { count: 3 }).done,
      logprobsOf(scheduler, text, { count: 0 }).done,
      scheduler.submit({ prompt: text.slice(0, 9), maxNewTokens: 12 }).done,
    ]);
    expect(told.map(({ id }) => id)).toEqual(text);
    expect(told[0]).toEqual({ id: text[0] });
    for (let i = 1; i < text.length; i++) {
      const expected = logSoftmax(nullLogits(text.slice(0, i), VOCAB));
      expect(told[i]!.logprob).toBeCloseTo(expected[text[i]!]!, 5);
      expect(told[i]!.top!.map(({ logprob }) => logprob)).toEqual(
        expected
          .toSorted((a, b) => b - a)
          .slice(0, 3)
          .map((x) => expect.closeTo(x, 5)),
      );
      expect(again[i]!.logprob).toBe(told[i]!.logprob);
    }
    expect(other.tokens).toHaveLength(12);
    await scheduler.close();
  });

  it("gives the logits after a text as long as there is room for, and finds it in the cache the next time", async () => {
    const scheduler = new Scheduler(open(like));
    const full = Array.from({ length: scheduler.room }, (_, i) => i % VOCAB);
    for (let n = 0; n < 2; n++) expect(await logitsAfter(scheduler, full).done).toEqual(nullLogits(full, VOCAB));
    if (like !== "aic100-recipe") expect(scheduler.stats.cachedTokens).toBe(full.length - 1);
    expect(() => logitsAfter(scheduler, [...full, 1])).toThrow("the prompt has 65 tokens");
    await scheduler.close();
  });
});

describe("embedding", () => {
  it("is the mean of what the tokens are, or the last, of length 1", async () => {
    const session = open("cpu");
    const [row] = await session.step([
      { slot: 0, at: 0, tokens: Int32Array.from(text), want: { kind: "hidden", last: text.length } },
    ]);
    const hidden = row!.hidden!.slice();
    const mean = Array.from({ length: 8 }, (_, x) =>
      text.reduce((sum, __, i) => sum + hidden[i * 8 + x]! / text.length, 0),
    );
    await session.trim(0, 0);
    const scheduler = new Scheduler(session, { promptTokensPerStep: 4 });
    const close = (values: readonly number[]) => values.map((x) => expect.closeTo(x, 5));
    const plain = await embeddingOf(scheduler, text, { normalise: false }).done;
    expect(Array.from(plain)).toEqual(close(mean));
    const unit = await embeddingOf(scheduler, text).done;
    const length = Math.hypot(...mean);
    expect(Array.from(unit)).toEqual(close(mean.map((x) => x / length)));
    const last = await embeddingOf(scheduler, text, { pooling: "last", normalise: false }).done;
    expect(Array.from(last)).toEqual(close(Array.from(hidden.slice(-8))));
    await scheduler.close();
  });

  it("is refused by name where a device doesn't tell", () => {
    const scheduler = new Scheduler(open("bm1684x"));
    expect(() => embeddingOf(scheduler, text)).toThrow("this device gives no hidden, only logits, token");
  });
});

it("joins a text of any length to its answer", () => {
  const [text, answer] = [new Int32Array(300_000).fill(1), Array.from({ length: 200_000 }, () => 2)];
  const both = followedBy(text, answer);
  expect([both.length, both[299_999], both[300_000], both.at(-1)]).toEqual([500_000, 1, 2, 2]);
});
