import type { Limits, Row, Session } from "@llm/target";
import { describe, expect, it } from "vitest";
import { benchSession } from "./bench.ts";

const limits = { slots: 2, context: 64, chunk: 8, vocab: 10 } as Limits;

/** Keeps what it was asked for, and does nothing. */
function recording(): { readonly session: Session; readonly steps: (readonly Row[])[] } {
  const steps: (readonly Row[])[] = [];
  const session: Session = {
    specificationVersion: 1,
    limits,
    step: async (rows) => {
      steps.push(rows);
      return rows.map(() => ({}));
    },
    trim: async () => {},
    close: async () => {},
  };
  return { session, steps };
}

const shape = (rows: readonly Row[]) =>
  rows.map(({ slot, at, tokens, want }) => [slot, at, tokens.length, want?.last ?? 0]);

describe("bench", () => {
  it("prefills in the session's chunks and decodes token by token, after a warm-up", async () => {
    const { session, steps } = recording();
    const { tests } = await benchSession(session, { prompt: 12, generate: 3, batch: 1, depth: 0, repeat: 2 });
    expect(tests.map(({ name }) => name)).toEqual(["pp12", "tg3"]);
    for (const { tokensPerSecond } of tests) expect(tokensPerSecond.mean).toBeGreaterThan(0);
    const prefill = [[[0, 0, 8, 0]], [[0, 8, 4, 1]]];
    const decode = [[[0, 0, 1, 1]], [[0, 1, 1, 1]], [[0, 2, 1, 1]]];
    expect(steps.map(shape)).toEqual([...prefill, ...prefill, ...prefill, ...decode, ...decode, ...decode]);
  });

  it("fills every slot to the depth first", async () => {
    const { session, steps } = recording();
    const { tests } = await benchSession(session, { prompt: 0, generate: 1, batch: 2, depth: 5, repeat: 1 });
    expect(tests.map(({ name }) => name)).toEqual(["tg1 @d5"]);
    expect(steps.slice(0, 2).map(shape)).toEqual([
      [
        [0, 0, 5, 0],
        [1, 0, 5, 0],
      ],
      [
        [0, 5, 1, 1],
        [1, 5, 1, 1],
      ],
    ]);
  });

  it("refuses what doesn't fit", async () => {
    const { session } = recording();
    const options = { prompt: 60, generate: 1, batch: 1, depth: 5, repeat: 1 };
    await expect(benchSession(session, options)).rejects.toThrow("a test of 65 tokens doesn't fit a context of 64");
    await expect(benchSession(session, { ...options, prompt: 4, batch: 3 })).rejects.toThrow("there are 2");
  });
});
