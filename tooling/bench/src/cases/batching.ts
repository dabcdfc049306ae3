import { Generator, type TextTokenizer } from "@llm/generate";
import { openRunnable } from "@llm/toolchain";
import type { Case, Measurement } from "../case.ts";
import { CPU_TIME, clock } from "../cpu/engine.ts";
import { starcoderFile } from "../cpu/places.ts";

const MANY = 16;
const NEW_TOKENS = 64;

interface Model {
  readonly suffix: string; // of the cases' names
  readonly called: string;
  open(slots: number, context: number): Promise<Generator>;
}

const small: Model = { suffix: "", called: "bundled checkpoint", open: (slots) => opened("demo", slots, {}) };

const large: Model = {
  suffix: "-1b",
  called: "1B StarCoder shape in 4 bits",
  open: (slots, ctxLen) => opened(starcoderFile("q4_0"), slots, { format: "int4", ctxLen }),
};

/** Prompts are ids and nobody reads the answers: the large model has no words. */
const wordless: TextTokenizer = {
  encode: () => [],
  decode: () => "",
  stream: () => ({ push: () => "", end: () => "" }),
};

async function opened(model: string, batchSize: number, targetOptions: Record<string, unknown>): Promise<Generator> {
  const threads = CPU_TIME ? { threads: 1 } : {}; // its time says what a step costs only where one thread takes it
  const { session } = await openRunnable(model, { batchSize, targetOptions: { ...targetOptions, ...threads } });
  return new Generator({ session, tokenizer: wordless });
}

let asked = 0;

/** Tokens per second of so many requests at once, each with a prompt that nobody had before. */
async function rate(generator: Generator, requests: number): Promise<Measurement> {
  const prompts = Array.from({ length: requests }, () => [++asked % 256, 3 + (asked >> 8), 17, 40, 5, 33, 90, 7]);
  const start = clock();
  const completions = await generator.generate(prompts, { maxNewTokens: NEW_TOKENS, ignoreEos: true, greedy: true });
  const tokens = completions.reduce((sum, { usage }) => sum + usage.completionTokens, 0);
  return { rate: (tokens / (clock() - start)) * 1000 };
}

/** Requests that run together share every read of the weights. */
function batchingOf({ suffix, called, open }: Model, bar: number, rounds: number): Case {
  return {
    name: `batching${suffix}`,
    title: `${MANY} requests at once against one, ${called}`,
    metrics: [{ key: "rate", unit: "tokens/s", better: "higher", bar }],
    rounds,
    baseline: "one request",
    sides: async () => {
      const generator = await open(MANY, 128);
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
}

/** How long until the first token of a prompt whose beginning was seen before, against one that is new. */
function prefixesOf({ suffix, called, open }: Model, length: number, rounds: number): Case {
  return {
    name: `prefixes${suffix}`,
    title: `First token after ${length} shared tokens, ${called}`,
    metrics: [{ key: "first", unit: "ms", better: "lower", bar: 1 / 20 }],
    rounds,
    baseline: "new prompt",
    sides: async () => {
      const generator = await open(4, length + 256);
      const shared = Array.from({ length }, (_, i) => 100 + ((i * 37) % 3800));
      const first = async (prompt: number[]): Promise<Measurement> => {
        const start = clock();
        await generator.generate(prompt, { maxNewTokens: 1, greedy: true });
        return { first: clock() - start };
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
}

export const batching: readonly Case[] = [batchingOf(small, 3, 7), batchingOf(large, 2.5, 5)];
/** The bundled checkpoint's context holds no 2,000 tokens. */
export const prefixes: readonly Case[] = [prefixesOf(small, 900, 7), prefixesOf(large, 2000, 5)];
