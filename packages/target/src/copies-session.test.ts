import { describe, expect, it, test } from "vitest";
import { conformance } from "./conformance/index.ts";
import { openCopies } from "./copies-session.ts";
import { SessionError } from "./error.ts";
import { nullLogits, openNull } from "./null/index.ts";
import type { Row, Session } from "./session.ts";

const sizes = { slots: 2, context: 40, prompt: 6, vocab: 19, width: 4 };
const oracle = (history: readonly number[]): Float32Array => nullLogits(history, sizes.vocab);
const copies = (like: "cpu" | "bm1684x" | "aic100"): Promise<Session> =>
  openCopies(2, async () => openNull({ like, ...sizes }));

describe.each(["cpu", "bm1684x", "aic100"] as const)("two copies of a %s conform as one session", (like) => {
  it.each(conformance.filter(({ about }) => about === "session"))("$name", async ({ run }) => {
    await run({ open: () => copies(like), oracle, tolerance: 0 });
  });
});

const row = (slot: number, at: number, ...ids: readonly number[]): Row => ({
  slot,
  at,
  tokens: Int32Array.from(ids),
  want: { kind: "logits", last: 1 },
});

test("slots lie copy after copy, and a history crosses between them", async () => {
  const session = await copies("cpu");
  expect(session.limits).toMatchObject({ slots: 4, fork: "copy" });
  await session.step([row(0, 0, 1, 2, 3), row(2, 0, 4, 5), row(3, 0, 6)]);
  await session.fork!([
    { from: 0, to: 3, length: 2 },
    { from: 3, to: 0, length: 1 },
  ]);
  const [first, last] = await session.step([row(0, 1, 7), row(3, 2, 8)]);
  expect(first!.logits).toEqual(oracle([6, 7]));
  expect(last!.logits).toEqual(oracle([1, 2, 8]));
  await session.close();
});

test("what one copy loses is named by its slots here; rows of the other are done again", async () => {
  const opened: Session[] = [];
  const session = await openCopies(2, async () => {
    opened.push(openNull({ like: "cpu", ...sizes }));
    return opened.at(-1)!;
  });
  await session.step([row(0, 0, 1), row(2, 0, 2), row(3, 0, 3)]);
  const step = opened[1]!.step.bind(opened[1]);
  opened[1]!.step = async () => {
    await opened[1]!.trim(0, 0);
    throw new SessionError("device", "it was reset", { lost: [0] });
  };
  await expect(session.step([row(0, 1, 4), row(2, 1, 5)])).rejects.toMatchObject({ code: "device", lost: [2] });
  opened[1]!.step = step;
  await expect(session.step([row(2, 1, 5)])).rejects.toMatchObject({ code: "gap" });
  const [again, other] = await session.step([row(0, 1, 4), row(3, 1, 6)]);
  expect(again!.logits).toEqual(oracle([1, 4]));
  expect(other!.logits).toEqual(oracle([3, 6]));
});

describe("where going back is bounded, after one copy's failure", () => {
  const failing = async (lost: readonly number[] | undefined) => {
    const opened: Session[] = [];
    const session = await openCopies(2, async () => {
      opened.push(openNull({ like: "cpu", ...sizes, limits: { rewind: 2 } }));
      return opened.at(-1)!;
    });
    await session.step([row(0, 0, 1), row(1, 0, 2), row(2, 0, 3)]);
    const step = opened[1]!.step.bind(opened[1]);
    opened[1]!.step = async () => {
      throw new SessionError("device", "it failed", lost ? { lost } : {});
    };
    const failure = await session.step([row(0, 1, 4, 5, 6), row(1, 1, 7), row(2, 1, 8)]).catch((error) => error);
    opened[1]!.step = step;
    return { session, failure };
  };

  test("rows of the other are done again, or lost where they went too far", async () => {
    const { session, failure } = await failing([]);
    expect(failure).toMatchObject({ code: "device", lost: [0] });
    const [anew, again, other] = await session.step([row(0, 0, 1, 4), row(1, 1, 7), row(2, 1, 8)]);
    expect([anew, again, other].map((result) => result!.logits)).toEqual(
      [
        [1, 4],
        [2, 7],
        [3, 8],
      ].map(oracle),
    );
    await session.close();
  });

  test("a history that was taken back is saved as it was before", async () => {
    const { session } = await failing([]);
    expect(await session.restore!(3, await session.save!(1))).toBe(1);
    await session.close();
  });

  test("nothing is said of what is lost where the copy that failed doesn't know", async () => {
    const { session, failure } = await failing(undefined);
    expect(failure).toMatchObject({ code: "device", lost: undefined });
    await session.close();
  });
});

test("rows that start together can't be shared by copies; what was opened is closed", async () => {
  let closed = 0;
  const open = async () => {
    const one = openNull({ like: "cpu", ...sizes, limits: { lockstep: true } });
    const close = one.close.bind(one);
    one.close = async () => {
      closed++;
      await close();
    };
    return one;
  };
  await expect(openCopies(2, open)).rejects.toMatchObject({ code: "unsupported" });
  expect(closed).toBe(2);
});
