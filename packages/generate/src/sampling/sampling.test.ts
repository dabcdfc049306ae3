import { readFileSync } from "node:fs";
import { goldenRoot } from "@llm/fixtures";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draw, randomState } from "../random/random-state.ts";
import type { SamplingOptions } from "./options.ts";
import { Sampler } from "./sampler.ts";
import { selectByMass } from "./select.ts";
import { massAt } from "./sweeps/mass.ts";

interface GoldenCase {
  readonly params: Readonly<Record<string, unknown>>;
  readonly logits: number;
  readonly context: number;
  readonly prompt_len: number;
  readonly eos: number;
  readonly probs: readonly number[] | null;
  readonly kept: number;
}

interface GoldenSampling {
  readonly vocab: number;
  readonly logits: readonly (readonly (number | null)[])[];
  readonly contexts: readonly (readonly number[])[];
  readonly cases: readonly GoldenCase[];
}

const golden = JSON.parse(readFileSync(`${goldenRoot}/sampling.json`, "utf8")) as GoldenSampling;

function camelCase(params: GoldenCase["params"]): SamplingOptions {
  const name = (key: string): string => key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(params).map(([key, value]) => [name(key), value]));
}

const TIES = 4; // the vector whose tied tokens survive by the sort's whim

describe("sampling, as transformers computes it", () => {
  const byParams = Map.groupBy(golden.cases, ({ params }) => JSON.stringify(params));
  it.each([...byParams])("%s", (_, cases) => {
    for (const one of cases) {
      const logits = Float32Array.from(golden.logits[one.logits]!, (x) => x ?? -Infinity);
      const tokens = golden.contexts[one.context]!;
      const history = { tokens, length: tokens.length, promptLength: one.prompt_len };
      const sampler = new Sampler({ ...camelCase(one.params), greedy: false }, { vocab: golden.vocab, eos: [one.eos] });
      if (!one.probs) {
        expect(() => sampler.distribution(logits, history)).toThrow(/every token/);
        continue;
      }
      const { ids, probs } = sampler.distribution(logits, history);
      const got = new Array<number>(golden.vocab).fill(0);
      ids.forEach((id, i) => void (got[id] = probs[i]!));
      const sorted = (values: readonly number[]): readonly number[] =>
        one.logits === TIES ? [...values].sort((a, b) => a - b) : values;
      const worst = Math.max(...sorted(got).map((p, i) => Math.abs(p - sorted(one.probs!)[i]!)));
      expect(worst, JSON.stringify(one)).toBeLessThan(1e-5);
      expect(ids.length, JSON.stringify(one)).toBe(one.kept);
    }
  });
});

describe("what the golden cases don't try", () => {
  const vocab = 4;
  const none = new Float32Array(vocab);
  const idsAfter = (tokens: number[], options: SamplingOptions, logits = none): number[] => {
    const history = { tokens, length: tokens.length, promptLength: 0 };
    const sampler = new Sampler({ ...options, greedy: false }, { vocab, eos: [3] });
    const { ids, probs } = sampler.distribution(logits, history);
    return [...ids].filter((_, i) => probs[i]! > 0);
  };

  it("knows a sequence whose beginning is the whole history, as transformers 5 does", () => {
    expect(idsAfter([1], { badWordsIds: [[1, 2]] })).toEqual([0, 1, 3]);
    expect(idsAfter([1], { badWordsIds: [[0, 1, 2]] })).toEqual([0, 1, 2, 3]);
    const biased = new Sampler({ sequenceBias: [[[0, 1, 2], 1.5]] }, { vocab });
    expect([...biased.adjust(none, { tokens: [0, 1], length: 2, promptLength: 2 })]).toEqual([0, 0, 1.5, 0]);
  });

  it("lets the end become as likely as a number can say, and no more", () => {
    const decay: SamplingOptions = { temperature: 0.7, exponentialDecayLengthPenalty: [0, 2] };
    const long = Array.from({ length: 2000 }, () => 1);
    for (const score of [2, -2]) expect(idsAfter(long, decay, Float32Array.of(0, 0, 0, score))).toEqual([3]);
    expect(idsAfter(long, decay)).toEqual([0, 1, 2, 3]); // of a score of nothing, however often doubled
  });

  it("draws the best at a temperature that leads out of the numbers", () => {
    for (const shift of [4, 0, -4]) {
      const logits = Float32Array.of(0, 1, 0.5, 1).map((x) => x + shift);
      expect(idsAfter([], { temperature: 1e-38 }, logits)).toEqual([1, 3]);
      expect(idsAfter([], { temperature: 1e-38, topK: 3, topP: 0.9, minP: 0.1 }, logits)).toEqual([1, 3]);
    }
    expect(() => idsAfter([], { temperature: 1e-38, suppressTokens: [0, 1, 2, 3] })).toThrow(/every token/);
    expect(() => idsAfter([], { temperature: 1e-38 }, Float32Array.of(NaN, NaN, NaN, NaN))).toThrow(/hold NaN/);
  });
});

describe("what transformers doesn't have", () => {
  const vocab = 6;
  const logits = Float32Array.of(1, 2, 3, 0.5, -1, 0);
  const scoresWith = (options: SamplingOptions, tokens: number[], promptLength: number): number[] => {
    const { ids, probs } = new Sampler({ ...options, greedy: false }, { vocab }).distribution(logits, {
      tokens,
      length: tokens.length,
      promptLength,
    });
    const base = Math.log(probs[4]!) - -1; // token 4 is never touched here
    expect(Array.from(ids)).toEqual([0, 1, 2, 3, 4, 5]);
    return Array.from(probs, (p) => Math.log(p) - base);
  };
  const near = (got: number[], expected: number[]): void => {
    for (const [i, x] of got.entries()) expect(x).toBeCloseTo(expected[i]!, 5);
  };

  it("takes presence and frequency penalties off what the answer holds, not the prompt", () => {
    near(scoresWith({ presencePenalty: 0.5, frequencyPenalty: 0.25 }, [2, 2, 0, 1, 1], 2), [0.25, 1, 3, 0.5, -1, 0]);
  });

  it("adds logit bias", () => {
    near(scoresWith({ logitBias: { 5: 2, 0: -3 } }, [], 0), [-2, 2, 3, 0.5, -1, 2]);
  });

  it("punishes what would prolong a repetition", () => {
    // "0 1 2" stood before and "0 1" stands at the end: 2 would prolong a run of two.
    near(scoresWith({ dryMultiplier: 1 }, [0, 1, 2, 3, 0, 1], 0), [1, 2, 2, 0.5, -1, 0]);
    // a run of three: 1 · 1.75
    near(scoresWith({ dryMultiplier: 1 }, [5, 0, 1, 2, 3, 5, 0, 1], 0), [1, 2, 3 - 1.75, 0.5, -1, 0]);
    near(scoresWith({ dryMultiplier: 1, drySequenceBreakers: [1] }, [0, 1, 2, 3, 0, 1], 0), [1, 2, 3, 0.5, -1, 0]);
  });

  it("names an option that makes no sense", () => {
    expect(() => new Sampler({ topP: 1.5 }, { vocab })).toThrow("topP is 1.5, but must be between 0 and 1");
    expect(() => new Sampler({ suppressTokens: [6] }, { vocab })).toThrow("token 6 is not in the vocabulary of 6");
    expect(() => new Sampler({ logitBias: { 6: 1 } }, { vocab })).toThrow(
      expect.objectContaining({ option: "logitBias" }),
    );
  });

  it.each<[SamplingOptions, string]>([
    [{ logitBias: { 3: NaN } }, "the logitBias of token 3 is NaN, but must be a number or -Infinity"],
    [{ logitBias: { 3: Infinity } }, "the logitBias of token 3 is Infinity, but must be a number or -Infinity"],
    ...[new Map([[3, -100]]), [[3, -100]], -100].map((logitBias): [SamplingOptions, string] => [
      { logitBias } as unknown as SamplingOptions,
      "logitBias is an object with a bias for each token id: { 292: -100 }, or Object.fromEntries(pairs)",
    ]),
    [{ temperature: "1" } as unknown as SamplingOptions, 'temperature is "1", but must be a number, not a string'],
    [{ sequenceBias: [[[1, 2], NaN]] }, "the sequenceBias of tokens 1,2 is NaN, but must be a number or -Infinity"],
    ...[[0, NaN], [NaN, 1.1], [0.5, 1.1], [-1, 1.1], [0, -2], [0, Infinity], [1], [1, 2, 3], 5].map(
      (decay): [SamplingOptions, string] => [
        { exponentialDecayLengthPenalty: decay as [number, number] },
        `exponentialDecayLengthPenalty is ${decay}, but must be [whole number, factor above 0]`,
      ],
    ),
  ])("refuses a number that is none in %o", (options, message) => {
    const make = (): unknown => new Sampler(options, { vocab });
    expect(make).toThrow(expect.objectContaining({ code: "option-invalid", message }));
  });

  it("bans a token by a bias of -Infinity", () => {
    const sampler = new Sampler({ logitBias: { 2: -Infinity } }, { vocab });
    expect(sampler.choose(logits, { tokens: [], length: 0, promptLength: 0 }, randomState()).token).toBe(1);
  });
});

describe("draws", () => {
  it("follow the distribution", () => {
    const logits = Float32Array.of(0.3, -1, 2, 0, 1.1, -0.4, 0.9, 0);
    const sampler = new Sampler({ temperature: 0.9, topK: 6 }, { vocab: 8 });
    const history = { tokens: [], length: 0, promptLength: 0 };
    const { ids, probs } = sampler.distribution(logits, history);
    const counts = new Map<number, number>();
    let random = randomState(42);
    const total = 50_000;
    for (let i = 0; i < total; i++) {
      const choice = sampler.choose(logits, history, random);
      counts.set(choice.token, (counts.get(choice.token) ?? 0) + 1);
      random = choice.random;
    }
    expect([...counts.keys()].sort()).toEqual(Array.from(ids));
    const chi = Array.from(ids).reduce(
      (sum, id, i) => sum + (counts.get(id)! - total * probs[i]!) ** 2 / (total * probs[i]!),
      0,
    );
    expect(chi).toBeLessThan(20.5 + 4); // 6 degrees of freedom at most (ties), one in ten thousand
  });

  it("from a whole vocabulary are those of its distribution", () => {
    const logits = Float32Array.from({ length: 5000 }, (_, i) => (i % 97) / 20 - (i % 3));
    const history = { tokens: [], length: 0, promptLength: 0 };
    const sampler = new Sampler({ temperature: 1.3 }, { vocab: logits.length });
    const { probs } = sampler.distribution(logits, history);
    let random = randomState(8);
    for (let n = 0; n < 200; n++) {
      const [u] = draw(random);
      let left = u;
      const expected = probs.findIndex((p) => (left -= p) < 0);
      const choice = sampler.choose(logits, history, random);
      expect(choice.token).toBe(expected);
      random = choice.random;
    }
  });

  it("greedy takes the first of the best and draws nothing", () => {
    const random = randomState(1);
    const history = { tokens: [], length: 0, promptLength: 0 };
    const choice = new Sampler({}, { vocab: 4 }).choose(Float32Array.of(0, 7, 7, 1), history, random);
    expect(choice).toEqual({ token: 1, random });
  });

  it("is greedy at temperature 0, whatever says that it samples", () => {
    const logits = Float32Array.of(0, 0.1, 0, 0.05);
    const history = { tokens: [], length: 0, promptLength: 0 };
    for (const temperature of [0, 1e-60]) {
      const sampler = new Sampler({ temperature, greedy: false, topK: 3, topP: 0.9 }, { vocab: 4 });
      for (let seed = 0; seed < 20; seed++)
        expect(sampler.choose(logits, history, randomState(seed))).toEqual({ token: 1, random: randomState(seed) });
      expect(sampler.distribution(logits, history)).toEqual({ ids: Int32Array.of(1), probs: Float64Array.of(1) });
    }
    expect(new Sampler({ temperature: 1 }, { vocab: 4 }).greedy).toBe(false);
    expect(new Sampler({ temperature: 1, greedy: true }, { vocab: 4 }).greedy).toBe(true);
    expect(new Sampler({ greedy: false }, { vocab: 4 }).greedy).toBe(false);
  });

  it("blame the model where it gives no numbers, the options where they leave none", () => {
    const history = { tokens: [], length: 0, promptLength: 0 };
    for (const vocab of [4, 5000])
      for (const options of [
        {},
        { temperature: 1 },
        { temperature: 1, topK: 2 },
        { temperature: 1, topP: 0.9 },
        { temperature: 1, minP: 0.1 },
      ]) {
        const choose = (logits: Float32Array, allow?: Uint32Array): unknown =>
          new Sampler(options, { vocab }).choose(logits, history, randomState(), allow);
        const none = new Uint32Array(Math.ceil(vocab / 32));
        expect(() => choose(new Float32Array(vocab).fill(NaN))).toThrow(
          expect.objectContaining({ code: "logits-invalid", message: expect.stringContaining("logits hold NaN") }),
        );
        if (options.temperature !== undefined)
          expect(() => choose(new Float32Array(vocab).fill(Infinity, 2, 3))).toThrow(
            "the model's logits hold Infinity",
          );
        for (const logits of [new Float32Array(vocab), new Float32Array(vocab).fill(-Infinity)])
          expect(() => choose(logits, none)).toThrow(expect.objectContaining({ code: "nothing-left" }));
      }
  });

  it("stays inside an allowed set", () => {
    const history = { tokens: [], length: 0, promptLength: 0 };
    for (const options of [{}, { temperature: 1 }]) {
      const choice = new Sampler(options, { vocab: 4 }).choose(
        Float32Array.of(9, 7, 7, 1),
        history,
        randomState(3),
        Uint32Array.of(0b1000),
      );
      expect(choice.token).toBe(3);
    }
  });
});

describe("selection without sorting", () => {
  const floats = fc.array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 300 });

  it("keeps the same nucleus of a large vocabulary as a sort would", () => {
    let random = randomState(5);
    const logits = Float32Array.from({ length: 20_000 }, () => {
      const [u, next] = draw(random);
      random = next;
      return 12 * u ** 6;
    });
    for (const topP of [0.1, 0.6, 0.95, 0.9999]) {
      const { ids } = new Sampler({ topP, temperature: 0.7 }, { vocab: logits.length }).distribution(logits, {
        tokens: [],
        length: 0,
        promptLength: 0,
      });
      const weights = logits.map((x) => Math.exp(x / 0.7));
      const order = Array.from(weights.keys()).sort((a, b) => weights[b]! - weights[a]!);
      const total = weights.reduce((a, b) => a + b);
      let before = 0;
      const kept = order.filter((id) => (before += weights[id]!) - weights[id]! < topP * total);
      expect(Math.abs(ids.length - kept.length)).toBeLessThanOrEqual(1); // the sums are rounded differently
    }
  });

  it("cuts where a sort would", () => {
    fc.assert(
      fc.property(floats, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
        const keys = Float64Array.from(values, (x) => Math.abs(Math.fround(x)));
        const masses = keys.map((key) => Math.exp(-key));
        const target = share * masses.reduce((a, b) => a + b);
        const order = Array.from(keys.keys()).sort((a, b) => keys[a]! - keys[b]! || a - b);
        let before = 0;
        const kept = order.filter((i) => {
          const keep = before < target * (1 - 1e-12);
          before += masses[i]!;
          return keep;
        });
        const cut = selectByMass(keys, masses, keys.length, target * (1 - 1e-12));
        const last = keys[kept.at(-1)!]!;
        expect(cut.key).toBe(last);
        expect(cut.ties).toBe(kept.filter((i) => keys[i] === last).length);
      }),
    );
  });

  it("has an exponential that is good to 1e-11", () => {
    for (let d = 0; d < 64; d += 0.00317) expect(Math.abs(massAt(d) / Math.exp(-d) - 1)).toBeLessThan(1e-11);
    expect(massAt(0)).toBe(1);
    expect(massAt(1000)).toBe(0);
  });
});
