import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NULL_DEVICES, type NullOptions, nullLogits, nullTarget, openNull } from "../null/index.ts";
import type { Limits, Row, Session } from "../session.ts";
import type { Target } from "../target.ts";
import { twoNets } from "../testing/two-nets.ts";
import { type BuildContext, type ConformanceContext, conformance, runConformance } from "./index.ts";

const sizes = { slots: 3, context: 40, prompt: 6, vocab: 19, width: 4 };
const oracle = (history: readonly number[]): Float32Array => nullLogits(history, sizes.vocab);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "conformance-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function buildContext(like: NullOptions["like"]): BuildContext {
  const options: NullOptions = { like, batchSize: 3, promptLen: 6, ctxLen: 40 };
  return { ...twoNets(), target: nullTarget as Target, options, folder };
}

describe.each(NULL_DEVICES)("conformance of the null target like %s", (like) => {
  it.each(conformance)("$name", async ({ run }) => {
    await run({ open: async () => openNull({ like, ...sizes }), oracle, tolerance: 0, build: buildContext(like) });
  });
});

describe("a session that draws from its five best", () => {
  const draws: Partial<Limits> = { sampling: ["greedy", "sample"], sampleTopK: 5 };
  const open = async (): Promise<Session> => openNull({ like: "cpu", ...sizes, limits: draws });

  it("conforms", async () => {
    const results = await runConformance({ open, oracle, tolerance: 0 });
    expect(results.filter(({ state }) => state === "failed")).toEqual([]);
  });

  it.each([undefined, 0, 6])("refuses a topK of %s", async (topK) => {
    const session = await open();
    const sampling = { method: "sample", ...(topK === undefined ? {} : { topK }) } as const;
    const want = { kind: "token", last: 1, sampling } as const;
    await expect(session.step([{ slot: 0, at: 0, tokens: Int32Array.of(1), want }])).rejects.toMatchObject({
      code: "want",
      message: expect.stringContaining("1 to 5 best"),
    });
  });
});

it("copes with a vocabulary of more tokens than a call takes arguments", async () => {
  const many = 300_000;
  const check = conformance.find(({ name }) => name.startsWith("every kind of result"))!;
  const open = async (): Promise<Session> => openNull({ like: "cpu", ...sizes, vocab: many });
  await check.run({ open, oracle: (history) => nullLogits(history, many), tolerance: 0 });
});

describe("the checks find", () => {
  const failures = async (
    open: () => Promise<Session>,
    like: NullOptions["like"] = "cpu",
  ): Promise<readonly string[]> => {
    const results = await runConformance({ open, oracle, tolerance: 0, build: buildContext(like) });
    return results.filter(({ state }) => state === "failed").map(({ reason }) => reason!);
  };

  const broken =
    (change: (session: Session) => Partial<Session>, like: NullOptions["like"] = "cpu") =>
    async (): Promise<Session> => {
      const session = openNull({ like, ...sizes });
      const whole: Session = {
        specificationVersion: 1,
        limits: session.limits,
        step: (rows) => session.step(rows),
        trim: (slot, length) => session.trim(slot, length),
        ...(session.fork ? { fork: session.fork } : {}),
        close: () => session.close(),
      };
      return { ...whole, ...change(session) };
    };

  it("nothing in a session that is right", async () => {
    expect(await failures(broken(() => ({})))).toEqual([]);
  });

  it("swapped slots", async () => {
    const swap = broken((session) => ({
      step: (rows) =>
        session.step(
          rows.map((row) => ({ ...row, slot: row.slot < 2 && rows.length === 1 ? 1 - row.slot : row.slot })),
        ),
    }));
    expect(await failures(swap)).not.toEqual([]);
  });

  it("tokens that were dropped", async () => {
    const drop = broken((session) => ({
      step: (rows) =>
        session.step(rows.map((row) => ({ ...row, tokens: row.tokens.map((id, i) => (i === 7 ? 0 : id)) }))),
    }));
    expect((await failures(drop))[0]).toMatch(/logits are off/);
  });

  it("tokens that were drawn otherwise", async () => {
    const limits = { sampling: ["sample"], sampleTopK: 5 } as const;
    const others = async (): Promise<Session> => {
      const session = openNull({ like: "cpu", ...sizes, limits });
      const step = session.step.bind(session);
      const cold = (row: Row): Row =>
        row.want?.kind === "token"
          ? { ...row, want: { ...row.want, sampling: { ...row.want.sampling, topK: 1 } } }
          : row;
      session.step = (rows) => step(rows.map(cold));
      return session;
    };
    expect((await failures(others))[0]).toMatch(/the token drawn by/);
  });

  it("a best token that isn't, of a device that gives tokens alone", async () => {
    const limits = { wants: ["token"], sampling: ["greedy"] } as const;
    const open = async (): Promise<Session> => openNull({ like: "cpu", ...sizes, limits });
    expect(await failures(open)).toEqual([]);
    const stale = async (): Promise<Session> => {
      const session = await open();
      const step = session.step.bind(session);
      session.step = (rows) =>
        step(rows.map((row) => ({ ...row, tokens: row.tokens.map((id, i) => (row.at + i === 2 ? 0 : id)) })));
      return session;
    };
    const reasons = await failures(stale);
    expect(reasons.length).toBeGreaterThan(1);
    for (const reason of reasons) expect(reason).toMatch(/the best token is \d+, not \d+/);
  });

  it("logits that are near, but of something else", async () => {
    const near = { relative: 3, cosine: 0.9 };
    const build = buildContext("cpu");
    const results = async (change: (logits: Float32Array) => Float32Array) => {
      const open = broken((session) => ({
        step: async (rows) =>
          (await session.step(rows)).map((result) =>
            result.logits ? { ...result, logits: change(result.logits) } : result,
          ),
      }));
      const checks = await runConformance({ open, oracle, ...near, build });
      return checks.filter(({ state }) => state === "failed").map(({ reason }) => reason);
    };
    expect(await results((logits) => logits.map((x, i) => x * (1 + 0.02 * (i % 3))))).toEqual([]);
    expect((await results((logits) => logits.map(() => logits[0]!)))[0]).toMatch(/logits have a cosine of/);
  });

  it("limits that aren't kept", async () => {
    const generous = broken((session) => ({
      step: async (rows) =>
        rows.some(({ tokens }) => tokens.length === 0) ? rows.map(() => ({})) : session.step(rows),
    }));
    expect(await failures(generous)).toEqual(["a row without tokens is not refused"]);
  });

  it("forks that happen one after the other", async () => {
    const oneByOne = broken((session) => ({
      fork: async (moves) => {
        for (const move of moves) await session.fork!([move]).catch(() => undefined);
      },
    }));
    expect((await failures(oneByOne))[0]).toMatch(/logits are off/);
  });
});

it("compares no numbers with nothing, and says so", async () => {
  const open = async (): Promise<Session> => openNull({ like: "cpu", ...sizes });
  const skipped = (await runConformance({ open })).filter(({ name }) => name.startsWith("random schedules"));
  expect(skipped).toMatchObject([{ state: "skipped", reason: "nothing to compare numbers with" }]);
});

it("says what it skipped for want of a model or a session", async () => {
  const results = await runConformance({});
  expect(new Set(results.map(({ state }) => state))).toEqual(new Set(["skipped"]));
});

describe("checks that are stopped", () => {
  const stopped = async (from: string, at: (stop: () => void) => Partial<ConformanceContext>) => {
    const stop = new AbortController();
    const { signal } = stop;
    const ended: string[] = [];
    const context = {
      oracle,
      tolerance: 0,
      signal,
      build: buildContext("cpu"),
      open: async () => openNull({ like: "cpu", ...sizes }),
    };
    const made = at(() => ended.at(-1)?.startsWith(from) && stop.abort());
    const checks = runConformance({ ...context, ...made }, ({ name }) => void ended.push(name));
    await expect(checks).rejects.toMatchObject({ name: "AbortError" });
    return { last: ended.at(-1) };
  };

  it("begin no other unit, and none is told as passed or failed", async () => {
    let after = 0;
    const { last } = await stopped("built side by side", (stop) => {
      const build = buildContext("cpu");
      const target: Target = {
        ...build.target,
        build: async (unit, work) => {
          if (after > 0) after++;
          await build.target.build(unit, work);
          stop();
          if (work.signal.aborted) after ||= 1;
        },
      };
      return { build: { ...build, target } };
    });
    expect(last).toMatch(/^built side by side/);
    expect(after).toBe(1);
  });

  it("make no other call of a session, and close it", async () => {
    const seen = { steps: 0, closed: 0 };
    const { last } = await stopped("stopped at any unit", (stop) => ({
      open: async () => {
        const session = openNull({ like: "cpu", ...sizes });
        return {
          ...session,
          limits: session.limits,
          step: async (rows) => {
            seen.steps++;
            stop();
            return session.step(rows);
          },
          trim: (slot, length) => session.trim(slot, length),
          close: async () => {
            seen.closed++;
            await session.close();
          },
        };
      },
    }));
    expect(last).toMatch(/^stopped at any unit/);
    expect(seen).toEqual({ steps: 1, closed: 1 });
  });

  it("let signals in between their calls, however busy they are", async () => {
    const { last } = await stopped("stopped at any unit", (stop) => ({
      open: async () => {
        setImmediate(stop);
        return openNull({ like: "cpu", ...sizes });
      },
    }));
    expect(last).toMatch(/^stopped at any unit/);
  });
});
