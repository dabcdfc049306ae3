import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draw, randomState } from "../random/random-state.ts";
import type { SamplingOptions } from "./options.ts";
import { Sampler } from "./sampler.ts";

const nothingBefore = { tokens: [], length: 0, promptLength: 0 };

/** Logits between 0 and `span`, most of them low, as a model's are. */
function randomLogits(vocab: number, seed: number, span = 14): Float32Array {
  let random = randomState(seed);
  return Float32Array.from({ length: vocab }, () => {
    const [u, next] = draw(random);
    random = next;
    return span * u ** 5;
  });
}

/** The same filters by sorting the whole vocabulary: ids and probabilities, in ascending order of ids. */
function bySorting(
  logits: Float32Array,
  { temperature = 1, topK = 0, topP: p = 1, minP = 0 }: SamplingOptions,
): { ids: number[]; probs: number[] } {
  const scores = logits.map((x) => x / Math.fround(temperature));
  let ids = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const best = scores[ids[0]!]!;
  const mass = (id: number): number => Math.exp(scores[id]! - best);
  if (topK > 0) ids = ids.filter((id) => scores[id]! >= scores[ids[Math.min(topK, ids.length) - 1]!]!);
  if (p < 1) {
    const target = p * ids.reduce((sum, id) => sum + mass(id), 0);
    let before = 0;
    ids = ids.filter((id, rank) => {
      const keep = rank === 0 || before < target;
      before += mass(id);
      return keep;
    });
  }
  ids = ids.filter((id) => mass(id) >= minP).sort((a, b) => a - b);
  const total = ids.reduce((sum, id) => sum + mass(id), 0);
  return { ids, probs: ids.map((id) => mass(id) / total) };
}

describe("a share of next to nothing", () => {
  it.each([100, 4096, 8192, 20_000])("leaves the best of %i tokens", (vocab) => {
    const logits = randomLogits(vocab, vocab);
    logits[77] = 20;
    for (const p of [0, 1e-12])
      for (const options of [{ topP: p }, { topP: p, topK: 40 }, { topP: p, minP: p }, { topP: 1, topK: 1 }]) {
        const sampler = new Sampler({ ...options, temperature: 0.9 }, { vocab });
        expect(Array.from(sampler.distribution(logits, nothingBefore).ids)).toEqual([77]);
        for (let seed = 0; seed < 5; seed++)
          expect(sampler.choose(logits, nothingBefore, randomState(seed)).token).toBe(77);
      }
  });

  it("leaves the better of two that are as far from the best, as far as numbers tell", () => {
    const logits = Float32Array.of(1, 1e-17, 2e-17);
    for (const [topP, expected] of [
      [0.5, [0]],
      [0.7, [0, 2]],
      [0.9, [0, 1, 2]],
    ] as const) {
      const { ids } = new Sampler({ topP, temperature: 1 }, { vocab: 3 }).distribution(logits, nothingBefore);
      expect(Array.from(ids)).toEqual(expected);
    }
  });

  it("leaves the most typical token, though none may be quite typical", () => {
    const logits = Float32Array.of(5, 0, 0, 0, 0, 0);
    for (const typicalP of [0, 1e-12]) {
      const { ids } = new Sampler({ typicalP, temperature: 1 }, { vocab: 6 }).distribution(logits, nothingBefore);
      expect(Array.from(ids)).toEqual([0]);
    }
  });
});

describe("the fast ways", () => {
  const cases = fc.record({
    vocab: fc.constantFrom(50, 4096, 8192, 9000),
    seed: fc.nat(),
    span: fc.constantFrom(1, 14, 60),
    temperature: fc.double({ min: 0.2, max: 3, noNaN: true }),
    topK: fc.constantFrom(0, 1, 20, 700),
    topP: fc.oneof(fc.constantFrom(0, 1e-12, 0.5, 1), fc.double({ min: 0, max: 0.9999, noNaN: true })),
    minP: fc.constantFrom(0, 0.01, 0.3),
  });

  it("keep and draw what sorting would", () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ vocab, seed, span, ...options }, drawSeed) => {
        const logits = randomLogits(vocab, seed, span);
        const sampler = new Sampler(options, { vocab });
        const expected = bySorting(logits, options);
        const { ids, probs } = sampler.distribution(logits, nothingBefore);
        expect(Array.from(ids)).toEqual(expected.ids);
        for (const [i, p] of expected.probs.entries()) expect(Math.abs(probs[i]! - p)).toBeLessThan(1e-9);
        const random = randomState(drawSeed);
        let left = draw(random)[0];
        const at = expected.probs.findIndex((p) => (left -= p) < 0);
        expect(sampler.choose(logits, nothingBefore, random).token).toBe(expected.ids.at(at));
      }),
      { numRuns: 60 },
    );
  });
});
