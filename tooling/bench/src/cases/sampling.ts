import { randomState, Sampler, type SamplingOptions } from "@llm/generate";
import type { Case, Measurement } from "../case.ts";

const VOCAB = 150_000;
const ROUNDS = 200;

/** Logits like a model's: one peak, a long tail. */
const logits = Float32Array.from(
  { length: VOCAB },
  (_, i) => 14 - 3 * Math.log(1 + ((i * 7919) % VOCAB)) + Math.sin(i),
);

/** Milliseconds to choose one token. */
function sample(options: SamplingOptions): Measurement {
  const sampler = new Sampler(options, { vocab: VOCAB });
  const history = { tokens: [1, 2, 3, 4], length: 4, promptLength: 2 };
  let random = randomState(1);
  const start = performance.now();
  for (let i = 0; i < ROUNDS; i++) ({ random } = sampler.choose(logits, history, random));
  return { token: (performance.now() - start) / ROUNDS };
}

/** The same nucleus by sorting the whole vocabulary. */
function bySorting(): Measurement {
  const start = performance.now();
  const order = Float32Array.from(logits, (x) => x / 0.8).sort();
  const best = order.at(-1)!;
  const weights = Float64Array.from(order, (x) => Math.exp(x - best));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let mass = 0;
  let at = order.length;
  while (mass < 0.9 * total) mass += weights[--at]!;
  return { token: performance.now() - start };
}

/** One row of a large vocabulary is sampled without sorting it. */
export const sampling: Case = {
  name: "sampling",
  title: "Choosing one of 150,000 tokens (temperature, top-k 50, top-p 0.9)",
  metrics: [{ key: "token", unit: "ms", better: "lower", limit: 0.5 }],
  rounds: 7,
  baseline: "full sort",
  sides: async () => {
    const options = { temperature: 0.8, topK: 50, topP: 0.9 };
    return [
      { name: "Sampler", prepare: async () => void sample(options), run: async () => sample(options) },
      { name: "Sampler, top-p alone", run: async () => sample({ temperature: 0.8, topP: 0.9 }) },
      { name: "Sampler, temperature alone", run: async () => sample({ temperature: 0.8 }) },
      { name: "full sort", run: async () => bySorting() },
    ];
  },
};
