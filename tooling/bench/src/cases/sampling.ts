import { type RandomState, randomState, Sampler, type SamplingOptions } from "@llm/generate";
import type { Case, Measurement } from "../case.ts";

const VOCAB = 151_936;
const ROUNDS = 40;

let seed = 0x2545_f491;

/** A number in (0, 1), the same in every run. */
function uniform(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0;
  return ((seed >>> 8) + 0.5) / 2 ** 24;
}

function row(score: (id: number) => number): Float32Array {
  return Float32Array.from({ length: VOCAB }, (_, id) => score(id));
}

function normal(deviation: number): Float32Array {
  return row(() => deviation * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/** Logits like a model's (one peak, a long tail), and flat ones, of which filters leave anything from a few to nearly all. */
const ROWS: Readonly<Record<string, Float32Array>> = {
  model: row((id) => 14 - 3 * Math.log(1 + ((id * 7919) % VOCAB)) + Math.sin(id)),
  "normal 0.5": normal(0.5),
  "normal 1": normal(1),
  "normal 2": normal(2),
  "normal 4": normal(4),
  uniform: row(uniform),
};

/** What is measured: every filter alone, and what people mostly ask for together. */
const ASKED: Readonly<Record<string, SamplingOptions>> = {
  temperature: { temperature: 0.8 },
  topK: { temperature: 0.8, topK: 50 },
  topP: { temperature: 0.8, topP: 0.9 },
  minP: { temperature: 0.8, minP: 0.05 },
  typicalP: { temperature: 0.8, typicalP: 0.9 },
  epsilon: { temperature: 0.8, epsilonCutoff: 3e-4 },
  eta: { temperature: 0.8, etaCutoff: 3e-4 },
  usual: { temperature: 0.8, topK: 50, topP: 0.9, minP: 0.05 },
  "topP, minP": { temperature: 0.8, topP: 0.95, minP: 0.05 },
  "topP, penalties": { temperature: 0.8, topP: 0.9, repetitionPenalty: 1.1, frequencyPenalty: 0.2 },
  "typicalP, penalties": { temperature: 0.8, typicalP: 0.9, repetitionPenalty: 1.1, frequencyPenalty: 0.2 },
};

const written = Array.from({ length: 1000 }, () => Math.floor(uniform() * VOCAB));
const history = { tokens: written, length: written.length, promptLength: 500 };

/** Milliseconds to choose one token, of many times the middle one: what else runs on the machine makes others longer. */
function sample(sampler: Sampler, logits: Float32Array): number {
  let random: RandomState = randomState(1);
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    ({ random } = sampler.choose(logits, history, random));
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[ROUNDS / 2]!;
}

/** Of each kind of option the row that takes longest. */
function sampleAll(): Measurement {
  return Object.fromEntries(
    Object.entries(ASKED).map(([name, options]) => {
      const sampler = new Sampler(options, { vocab: VOCAB });
      return [name, Math.max(...Object.values(ROWS).map((logits) => sample(sampler, logits)))];
    }),
  );
}

/** A nucleus by sorting the whole vocabulary, which other filters would take as well. */
function bySorting(): Measurement {
  const start = performance.now();
  const order = Float32Array.from(ROWS.model!, (x) => x / 0.8).sort();
  const best = order.at(-1)!;
  const weights = Float64Array.from(order, (x) => Math.exp(x - best));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let mass = 0;
  let at = order.length;
  while (mass < 0.9 * total) mass += weights[--at]!;
  const ms = performance.now() - start;
  return Object.fromEntries(Object.keys(ASKED).map((name) => [name, ms]));
}

/** One row of a large vocabulary is sampled without sorting it, whatever its logits look like. */
export const sampling: Case = {
  name: "sampling",
  title: `Choosing one of ${VOCAB} tokens at temperature 0.8: the slowest of ${Object.keys(ROWS).join(", ")}`,
  metrics: Object.keys(ASKED).map((key) => ({ key, unit: "ms", better: "lower", limit: 0.5 })),
  rounds: 5,
  baseline: "full sort",
  sides: async () => [
    { name: "Sampler", prepare: async () => void sampleAll(), run: async () => sampleAll() },
    { name: "full sort", run: async () => bySorting() },
  ],
};
