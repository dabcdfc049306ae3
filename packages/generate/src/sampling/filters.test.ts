import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draw, randomState } from "../random/random-state.ts";
import { epsilonCutoff, etaCutoff, minP, topK, topP, typicalP } from "./filters.ts";
import type { SamplingOptions } from "./options.ts";
import { Row } from "./row.ts";
import { Sampler } from "./sampler.ts";
import { JavaScriptSweeps } from "./sweeps/in-javascript.ts";
import { WebAssemblySweeps } from "./sweeps/in-webassembly.ts";
import { BLOCK } from "./sweeps/sweeps.ts";

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

/** Numbers around 0, as rounded as many models' are. */
function normalLogits(vocab: number, seed: number, deviation: number): Float32Array {
  let random = randomState(seed);
  const uniform = (): number => {
    const [u, next] = draw(random);
    random = next;
    return 1 - u;
  };
  return Float32Array.from({ length: vocab }, () => {
    const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    return Math.round(deviation * normal * 128) / 128;
  });
}

/** The filters as they are defined, in 64 bits and by sorting: ids and probabilities, in ascending order of ids. */
function bySorting(logits: Float32Array, options: SamplingOptions): { ids: number[]; probs: number[] } {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, typicalP = 1, epsilonCutoff = 0, etaCutoff = 0 } = options;
  const scores = logits.map((x) => x / Math.fround(temperature));
  const best = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  const mass = (id: number): number => Math.exp(scores[id]! - best);
  const total = (): number => ids.reduce((sum, id) => sum + mass(id), 0);
  let ids = Array.from(scores.keys())
    .filter((id) => scores[id]! > -Infinity)
    .sort((a, b) => scores[b]! - scores[a]! || a - b);
  /** The first that together have a share of the mass. */
  const reaching = (share: number): number => {
    const target = share * total();
    let before = 0;
    const end = ids.findIndex((_, rank) => rank > 0 && (before += mass(ids[rank - 1]!)) >= target);
    return end < 0 ? ids.length : end;
  };
  if (topK > 0) ids = ids.filter((id) => scores[id]! >= scores[ids[Math.min(topK, ids.length) - 1]!]!);
  if (topP < 1) ids = ids.slice(0, reaching(topP));
  ids = ids.filter((id) => mass(id) >= minP);
  if (typicalP < 1) {
    const weight = total();
    const expected = ids.reduce((sum, id) => sum + mass(id) * (best - scores[id]!), 0) / weight;
    const surprise = (id: number): number => Math.abs(best - scores[id]! - expected);
    ids.sort((a, b) => surprise(a) - surprise(b) || a - b);
    const last = surprise(ids[reaching(typicalP) - 1]!);
    ids = ids.filter((id) => surprise(id) <= last);
  }
  const cutOff = (epsilon: number): void => {
    const [weight, most] = [total(), ids.reduce((m, id) => Math.max(m, scores[id]!), -Infinity)];
    ids = ids.filter((id) => mass(id) / weight >= epsilon || scores[id] === most);
  };
  if (epsilonCutoff > 0) cutOff(epsilonCutoff);
  if (etaCutoff > 0) {
    const weight = total();
    const entropy = -ids.reduce((sum, id) => sum + (mass(id) / weight) * Math.log(mass(id) / weight || 1), 0);
    cutOff(Math.min(etaCutoff, Math.sqrt(etaCutoff) * Math.exp(-entropy)));
  }
  ids.sort((a, b) => a - b);
  const weight = total();
  return { ids, probs: ids.map((id) => mass(id) / weight) };
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

describe("choosing without sorting", () => {
  const share = fc.oneof(fc.constantFrom(0, 1e-12, 0.5, 0.9, 0.999), fc.double({ min: 0, max: 0.9999, noNaN: true }));
  const bar = fc.constantFrom(1e-8, 1e-6, 1e-4, 3e-4, 0.01, 0.3);
  const filters = fc.record(
    {
      topK: fc.constantFrom(1, 20, 700, 5000),
      topP: share,
      minP: bar,
      typicalP: share,
      epsilonCutoff: bar,
      etaCutoff: bar,
    },
    { requiredKeys: [] },
  );
  const rows = fc
    .record({
      vocab: fc.constantFrom(50, 1024, 4096, 9000, 30_000),
      seed: fc.nat(),
      spread: fc.constantFrom(0, 0.5, 1, 2, 4, 14, 60),
      isNormal: fc.boolean(),
      banned: fc.constantFrom(0, 0.3),
    })
    .map(({ vocab, seed, spread, isNormal, banned }) => {
      const logits = isNormal ? normalLogits(vocab, seed, spread) : randomLogits(vocab, seed, spread);
      return logits.fill(-Infinity, 0, banned * vocab);
    });
  const temperature = fc.oneof(fc.constant(1), fc.double({ min: 0.2, max: 3, noNaN: true }));

  it("keeps and draws what sorting would", () => {
    fc.assert(
      fc.property(rows, filters, temperature, fc.nat(), (logits, filters, temperature, seed) => {
        const options = { ...filters, temperature };
        const sampler = new Sampler(options, { vocab: logits.length });
        const expected = bySorting(logits, options);
        const { ids, probs } = sampler.distribution(logits, nothingBefore);
        expect(Array.from(ids)).toEqual(expected.ids);
        for (const [i, p] of expected.probs.entries()) expect(Math.abs(probs[i]! - p)).toBeLessThan(1e-10);
        const random = randomState(seed);
        let left = draw(random)[0];
        const at = expected.probs.findIndex((p) => (left -= p) < 0);
        expect(sampler.choose(logits, nothingBefore, random).token).toBe(expected.ids.at(at));
      }),
      { numRuns: 150 },
    );
  });

  it("comes to the same without WebAssembly", () => {
    const vocab = 9000;
    const blocks = Math.ceil(vocab / BLOCK);
    const [fast, plain] = [new WebAssemblySweeps(blocks), new JavaScriptSweeps(blocks)].map((s) => new Row(vocab, s));
    for (const deviation of [0.5, 2, 8])
      for (const filter of [topK, topP, minP, typicalP, epsilonCutoff, etaCutoff]) {
        const left = [fast!, plain!].map((row) => {
          row.load(normalLogits(vocab, 7, deviation), 0.8);
          filter(row, filter === topK ? 40 : 0.3);
          return [row.total(), row.draw(0.7), row.distribution()];
        });
        expect(left[0]).toEqual(left[1]);
      }
  });
});
