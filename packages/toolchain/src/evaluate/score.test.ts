import { describe, expect, it } from "vitest";
import { addScores, logLikelihood, NO_SCORE, qualityOf, scoreRows } from "./score.ts";

const logsOf = (...shares: number[]) => Float32Array.from(shares, (share) => Math.log(share));

describe("scores", () => {
  // By hand: −ln ¼ and −ln ½; KL of (½, ¼, ¼) from (¼, ½, ¼) is ½ ln 2 − ¼ ln 2 = ¼ ln 2.
  const base = logsOf(0.5, 0.25, 0.25, 0.1, 0.8, 0.1);
  const actual = logsOf(0.25, 0.5, 0.25, 0.1, 0.8, 0.1);

  it("are what a calculator says", () => {
    const score = scoreRows(actual, base, [0, 1], 3);
    expect(score.loss).toBeCloseTo(-Math.log(0.25) - Math.log(0.8), 6);
    expect(score.baseLoss).toBeCloseTo(-Math.log(0.5) - Math.log(0.8), 6);
    expect(score.divergence).toBeCloseTo(Math.LN2 / 4, 6);
    expect(score).toMatchObject({ tokens: 2, agreed: 1 });
  });

  it("don't care for a constant that is added to all logits of a row", () => {
    const shifted = actual.map((x, i) => x + (i < 3 ? 700 : -40));
    const [a, b] = [scoreRows(actual, base, [2, 0], 3), scoreRows(shifted, base, [2, 0], 3)];
    for (const key of ["loss", "divergence", "agreed"] as const) expect(b[key]).toBeCloseTo(a[key], 3);
  });

  it("add up over stretches", () => {
    const whole = scoreRows(actual, base, [0, 1], 3);
    const parts = [0, 1].map((row) =>
      scoreRows(actual.subarray(row * 3, row * 3 + 3), base.subarray(row * 3, row * 3 + 3), [row], 3),
    );
    expect(qualityOf(parts.reduce(addScores, NO_SCORE)).perplexity).toBeCloseTo(qualityOf(whole).perplexity, 10);
  });

  it("make a model equal to itself", () => {
    expect(qualityOf(scoreRows(base, base, [0, 1], 3))).toMatchObject({ kl: 0, top1Agreement: 1 });
    const copy = scoreRows(base.slice(), base, [0, 1], 3);
    expect(copy.divergence).toBeLessThan(1e-7);
  });

  it("count no agreement on a row that has no numbers", () => {
    const none = base.map((x, i) => (i < 3 ? Number.NaN : x));
    for (const [a, b] of [
      [none, base],
      [base, none],
      [none, none],
      [none, none.slice()],
      [base.map((x, i) => (i === 2 ? Number.NaN : x)), base],
    ] as const)
      expect(scoreRows(a, b, [0, 1], 3).agreed).toBe(1);
  });

  it("say how likely a continuation is, and whether it is the likeliest", () => {
    expect(logLikelihood(base, [0, 1], 3)).toEqual({ sum: expect.closeTo(Math.log(0.4), 6), greedy: true });
    expect(logLikelihood(base, [1, 1], 3).greedy).toBe(false);
  });
});
