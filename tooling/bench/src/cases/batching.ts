import { Generator } from "@llm/toolchain";
import type { Case, Measurement } from "../case.ts";

const MANY = 16;
const NEW_TOKENS = 64;

/** Tokens per second of so many requests at once, on the checkpoint that ships. */
async function rate(generator: Generator, requests: number): Promise<Measurement> {
  const prompts = Array.from({ length: requests }, (_, i) => `# file ${i} of ${performance.now()}\ndef main(`);
  const start = performance.now();
  const completions = await generator.generate(prompts, { maxNewTokens: NEW_TOKENS, ignoreEos: true, greedy: true });
  const tokens = completions.reduce((sum, { usage }) => sum + usage.completionTokens, 0);
  return { rate: (tokens / (performance.now() - start)) * 1000 };
}

/** Requests that run together share every read of the weights. */
export const batching: Case = {
  name: "batching",
  title: `${MANY} requests at once against one, bundled checkpoint`,
  metrics: [{ key: "rate", unit: "tokens/s", better: "higher", bar: 3 }],
  rounds: 7,
  baseline: "one request",
  sides: async () => {
    const generator = await Generator.fromPretrained("demo", { batchSize: MANY });
    return [
      {
        name: `${MANY} requests`,
        prepare: async () => void (await rate(generator, MANY)),
        run: () => rate(generator, MANY),
        close: () => generator.close(),
      },
      { name: "one request", prepare: async () => void (await rate(generator, 1)), run: () => rate(generator, 1) },
    ];
  },
};

const PREFIX = 900; // what the bundled checkpoint's context holds, and an answer

/** How long until the first token of a prompt whose beginning was seen before, against one that is new. */
export const prefixes: Case = {
  name: "prefixes",
  title: `First token after ${PREFIX} shared tokens, bundled checkpoint`,
  metrics: [{ key: "first", unit: "ms", better: "lower", bar: 1 / 20 }],
  rounds: 7,
  baseline: "new prompt",
  sides: async () => {
    const generator = await Generator.fromPretrained("demo", { batchSize: 4 });
    const { vocabSize } = generator.tokenizer;
    const shared = Array.from({ length: PREFIX }, (_, i) => 100 + ((i * 37) % (vocabSize - 200)));
    const first = async (prompt: number[]): Promise<Measurement> => {
      const { timings } = await generator.generate(prompt, { maxNewTokens: 1, greedy: true });
      return { first: timings.firstTokenMs };
    };
    return [
      {
        name: "seen before",
        prepare: async () => void (await first([...shared, 5])),
        run: (round) => first([...shared, 6 + round]),
        close: () => generator.close(),
      },
      { name: "new prompt", run: (round) => first([50 + round, ...shared]) },
    ];
  },
};
