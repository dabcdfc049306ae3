import type { GenerateOptions } from "@llm/generate";
import { Generator } from "@llm/toolchain";
import type { Case, Measurement, Metric, Side } from "../case.ts";
import { CPU_TIME, clock } from "../cpu/engine.ts";
import { gemmaFile } from "../cpu/places.ts";

/** A Python file of so many lines in which one variable is to be renamed, and what it then is. */
function edit(lines: number): { readonly before: string; readonly after: string } {
  const blocks = Array.from({ length: Math.ceil(lines / 4) }, (_, i) => {
    const name = NAMES[i % NAMES.length]!;
    return `def ${name}_${i}(count, step):\n    count = count + step * ${i + 2}\n    return ${name}(count)\n\n`;
  });
  const before = blocks.join("");
  return { before, after: before.replaceAll("count", "total") };
}

const NAMES = ["load", "parse", "merge", "store", "rank", "split", "clean", "shift", "scale"];

/** Tokens a second after the first. */
async function rate(generator: Generator, prompt: string, options: GenerateOptions): Promise<Measurement> {
  let first = 0;
  const onToken = () => void (first ||= clock());
  const { usage } = await generator.generate(prompt, { ...options, onToken });
  return { rate: ((usage.completionTokens - 1) * 1000) / (clock() - first) };
}

interface Task {
  readonly name: string;
  readonly title: string;
  readonly model: () => string;
  readonly prompt: string;
  /** Texts of a round, each another: more differ less from round to round. */
  readonly turns?: number;
  readonly options: (generator: Generator) => GenerateOptions;
  /** What the side that speculates says beside them. */
  readonly speculating: GenerateOptions;
  readonly metric: Pick<Metric, "bar" | "confident">;
  readonly rounds: number;
}

function compare(task: Task): Case {
  const { name, title, model, prompt, turns, options, speculating, metric, rounds } = task;
  return {
    name,
    title,
    metrics: [{ key: "rate", unit: "tokens/s", better: "higher", ...metric }],
    rounds,
    turns,
    baseline: "plain",
    sides: async () => {
      // Time of the processor says what steps cost only where one thread takes them.
      const generator = await Generator.fromPretrained(model(), CPU_TIME ? { targetOptions: { threads: 1 } } : {});
      const side = (sideName: string, more: GenerateOptions): Side => {
        const all = { ...options(generator), ...more };
        return {
          name: sideName,
          prepare: async () => void (await rate(generator, prompt, all)),
          run: (_, seed) => rate(generator, prompt, { seed, ...all }),
        };
      };
      return [{ ...side("speculating", speculating), close: () => generator.close() }, side("plain", {})];
    },
  };
}

function modelName(caseName: string): string {
  return caseName.endsWith("gemma") ? "Gemma 3 270M Q4_K_M" : "bundled checkpoint";
}

/** Tokens of an answer that are said, so that a run takes seconds. */
const MOST = 192;

/** Holds an answer to one text, token by token. */
function saying(text: string, generator: Generator): GenerateOptions {
  const ids = Array.from(generator.tokenizer.encode(text, { addSpecialTokens: false }));
  const words = Math.ceil(generator.runnable.session.limits.vocab / 32);
  const allow = ({ length }: Int32Array): Uint32Array => {
    const mask = new Uint32Array(words);
    const id = ids[length]!;
    mask[id >>> 5] = 1 << (id & 31);
    return mask;
  };
  return { greedy: true, ignoreEos: true, maxNewTokens: Math.min(ids.length, MOST), allow };
}

/**
 * Saying a file again with a variable renamed, with the file as it was for a prediction: what an editing tool has. The answer is
 * held to the renamed file, so that both sides say the same and it doesn't matter how well so small a model edits; what is
 * guessed, and what the model's steps cost, is as ever.
 */
function editing(name: string, model: () => string, lines: number): Case {
  const { before, after } = edit(lines);
  return compare({
    name,
    title: `Repeating ${lines} lines with a variable renamed, ${modelName(name)}`,
    model,
    prompt: before,
    options: (generator) => saying(after, generator),
    speculating: { prediction: before },
    metric: { bar: 2 },
    rounds: 5,
  });
}

/** Text that doesn't repeat itself: drawn at a high temperature. */
function useless(name: string, model: () => string, tokens: number, turns: number): Case {
  return compare({
    name,
    title: `Text that can't be guessed, ${modelName(name)}`,
    model,
    prompt: "def main(",
    turns,
    options: () => ({ temperature: 1.5, greedy: false, ignoreEos: true, maxNewTokens: tokens }),
    speculating: { speculate: true },
    metric: { bar: 0.97, confident: true },
    rounds: 10,
  });
}

export const speculation: readonly Case[] = [
  editing("speculation-edit", () => "demo", 40),
  editing("speculation-edit-gemma", gemmaFile, 200),
  useless("speculation-useless", () => "demo", 400, 16),
  useless("speculation-useless-gemma", gemmaFile, 64, 4),
];
