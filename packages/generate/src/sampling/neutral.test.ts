import { describe, expect, it } from "vitest";
import { asksFor } from "./neutral.ts";
import type { SamplingOptions } from "./options.ts";
import { isGreedy } from "./options.ts";
import { Sampler } from "./sampler.ts";

/** Every option at a value that asks for nothing, and at one that does. */
const OPTIONS: readonly [SamplingOptions, SamplingOptions][] = [
  [{ sequenceBias: [] }, { sequenceBias: [[[1, 2], 1]] }],
  [{ logitBias: { 3: 0 } }, { logitBias: { 3: -1 } }],
  [{ repetitionPenalty: 1 }, { repetitionPenalty: 1.1 }],
  [{ presencePenalty: 0 }, { presencePenalty: -1 }],
  [{ frequencyPenalty: 0 }, { frequencyPenalty: 1 }],
  [{ dryMultiplier: 0, dryBase: 2 }, { dryMultiplier: 1 }],
  [{ noRepeatNgramSize: 0 }, { noRepeatNgramSize: 2 }],
  [{ badWordsIds: [] }, { badWordsIds: [[1]] }],
  [{ minNewTokens: 0 }, { minNewTokens: 1 }],
  [{ exponentialDecayLengthPenalty: [3, 1] }, { exponentialDecayLengthPenalty: [3, 2] }],
  [{ suppressTokens: [] }, { suppressTokens: [1] }],
];

/** The same of what narrows what is drawn from. */
const DRAWING: readonly [SamplingOptions, SamplingOptions][] = [
  [{ topK: 0 }, { topK: 4 }],
  [{ topP: 1 }, { topP: 0.9 }],
  [{ minP: 0 }, { minP: 0.1 }],
  [{ typicalP: 1 }, { typicalP: 0.9 }],
  [{ epsilonCutoff: 0 }, { epsilonCutoff: 1e-3 }],
  [{ etaCutoff: 0 }, { etaCutoff: 1e-3 }],
];

describe("an option at its neutral value", () => {
  it.each(OPTIONS)("leaves the scores to the device: %j", (neutral, asking) => {
    expect(new Sampler(neutral, { vocab: 8 }).isPlainGreedy).toBe(true);
    expect(new Sampler(neutral, { vocab: 8 }).beyondDevice([])).toEqual([]);
    expect(new Sampler(asking, { vocab: 8 }).isPlain).toBe(false);
    expect(new Sampler(asking, { vocab: 8 }).beyondDevice([])).toEqual(Object.keys(asking));
    expect(isGreedy(asking)).toBe(true);
  });

  it.each(DRAWING)("draws nothing: %j", (neutral, asking) => {
    expect(isGreedy(neutral)).toBe(true);
    expect(isGreedy(asking)).toBe(false);
    expect(isGreedy({ ...asking, greedy: true })).toBe(true);
    expect(isGreedy({ ...asking, temperature: 0 })).toBe(true);
    expect(new Sampler({ ...neutral, temperature: 1 }, { vocab: 8 }).isDeviceSampling).toBe(true);
  });

  it("is no option at all", () => {
    for (const [neutral, asking] of [...OPTIONS, ...DRAWING]) {
      const [name] = Object.keys(asking) as (keyof SamplingOptions)[];
      expect([asksFor({}, name!), asksFor(neutral, name!), asksFor(asking, name!)]).toEqual([false, false, true]);
    }
  });
});

describe("what is named twice", () => {
  const logits = Float32Array.of(0, 1, 2, 3);
  const history = { tokens: [3, 0], length: 2, promptLength: 0 };

  it("counts once as an end", () => {
    const options: SamplingOptions = { exponentialDecayLengthPenalty: [0, 1.5] };
    const once = new Sampler(options, { vocab: 4, eos: [2] }).adjust(logits, history).slice();
    expect(new Sampler(options, { vocab: 4, eos: [2, 2] }).adjust(logits, history)).toEqual(once);
  });

  it("has the last bias that is given", () => {
    const sampler = new Sampler(
      {
        sequenceBias: [
          [[0, 1], 5],
          [[0, 1], 2],
        ],
      },
      { vocab: 4 },
    );
    expect([...sampler.adjust(logits, history)]).toEqual([0, 3, 2, 3]);
  });
});
