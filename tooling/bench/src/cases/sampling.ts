import { randomState, Sampler, type SamplingOptions } from "@llm/generate";
import type { Case, Measurement } from "../case.ts";
import { clock } from "../cpu/engine.ts";

const VOCAB = 150_000;
const ROUNDS = 60;

/** Logits like a model's: one peak, a long tail. */
const logits = Float32Array.from(
  { length: VOCAB },
  (_, i) => 14 - 3 * Math.log(1 + ((i * 7919) % VOCAB)) + Math.sin(i),
);

/** Milliseconds to choose one token. */
function sample(options: SamplingOptions): number {
  const sampler = new Sampler(options, { vocab: VOCAB });
  const history = { tokens: [1, 2, 3, 4], length: 4, promptLength: 2 };
  let random = randomState(1);
  const start = clock();
  for (let i = 0; i < ROUNDS; i++) ({ random } = sampler.choose(logits, history, random));
  return (clock() - start) / ROUNDS;
}

/** What is measured: every filter alone, and what people mostly ask for together. */
const ASKED: Readonly<Record<string, SamplingOptions>> = {
  usual: { temperature: 0.8, topK: 50, topP: 0.9 },
  temperature: { temperature: 0.8 },
  topK: { temperature: 0.8, topK: 50 },
  topP: { temperature: 0.8, topP: 0.9 },
  minP: { temperature: 0.8, minP: 0.05 },
  typicalP: { temperature: 0.8, typicalP: 0.9 },
  epsilon: { temperature: 0.8, epsilonCutoff: 3e-4 },
  eta: { temperature: 0.8, etaCutoff: 3e-4 },
};

function sampleAll(): Measurement {
  return Object.fromEntries(Object.entries(ASKED).map(([name, options]) => [name, sample(options)]));
}

/** A nucleus by sorting the whole vocabulary, which other filters would take as well. */
function bySorting(): Measurement {
  const start = clock();
  const order = Float32Array.from(logits, (x) => x / 0.8).sort();
  const best = order.at(-1)!;
  const weights = Float64Array.from(order, (x) => Math.exp(x - best));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let mass = 0;
  let at = order.length;
  while (mass < 0.9 * total) mass += weights[--at]!;
  const ms = clock() - start;
  return Object.fromEntries(Object.keys(ASKED).map((name) => [name, ms]));
}

/** One row of a large vocabulary is sampled without sorting it. */
export const sampling: Case = {
  name: "sampling",
  title: "Choosing one of 150,000 tokens, at temperature 0.8",
  metrics: Object.keys(ASKED).map((key) => ({ key, unit: "ms", better: "lower", limit: 0.5 })),
  rounds: 7,
  baseline: "full sort",
  sides: async () => [
    { name: "Sampler", prepare: async () => void sampleAll(), run: async () => sampleAll() },
    { name: "full sort", run: async () => bySorting() },
  ],
};
