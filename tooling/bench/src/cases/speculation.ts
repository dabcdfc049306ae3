import type { GenerateOptions } from "@llm/generate";
import { Generator } from "@llm/toolchain";
import type { Case, Measurement, Side } from "../case.ts";
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

/** Milliseconds of a token after the first. */
async function perToken(generator: Generator, prompt: string, options: GenerateOptions): Promise<Measurement> {
  const { usage, timings } = await generator.generate(prompt, options);
  return { token: (timings.totalMs - timings.firstTokenMs) / Math.max(1, usage.completionTokens - 1) };
}

interface Task {
  readonly name: string;
  readonly title: string;
  readonly model: () => string;
  readonly prompt: string;
  readonly options: (generator: Generator) => GenerateOptions;
  readonly bar: number;
  readonly rounds: number;
}

function compare({ name, title, model, prompt, options, bar, rounds }: Task): Case {
  return {
    name,
    title,
    metrics: [{ key: "token", unit: "ms/token", better: "lower", bar }],
    rounds,
    baseline: "plain",
    sides: async () => {
      const generator = await Generator.fromPretrained(model());
      const side = (sideName: string, speculate: boolean): Side => ({
        name: sideName,
        prepare: async () => void (await perToken(generator, prompt, { ...options(generator), speculate })),
        run: () => perToken(generator, prompt, { ...options(generator), speculate }),
      });
      return [{ ...side("speculating", true), close: () => generator.close() }, side("plain", false)];
    },
  };
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
 * Saying a file again with a variable renamed. The answer is held to that file, so that both sides say the same and it doesn't
 * matter how well so small a model edits; what is guessed, and what the model's steps cost, is as ever.
 */
function editing(name: string, model: () => string, lines: number): Case {
  const { before, after } = edit(lines);
  return compare({
    name,
    title: `Repeating ${lines} lines with a variable renamed, ${name.endsWith("gemma") ? "Gemma 3 270M Q4_K_M" : "bundled checkpoint"}`,
    model,
    prompt: before,
    options: (generator) => saying(after, generator),
    bar: 0.5,
    rounds: 5,
  });
}

/** Text that doesn't repeat itself: drawn at a high temperature. */
const unrepeated: GenerateOptions = { temperature: 1.5, greedy: false, seed: 5, ignoreEos: true, maxNewTokens: 192 };

export const speculation: readonly Case[] = [
  editing("speculation-edit", () => "demo", 40),
  editing("speculation-edit-gemma", gemmaFile, 200),
  compare({
    name: "speculation-useless",
    title: "Text that can't be guessed, bundled checkpoint",
    model: () => "demo",
    prompt: "def main(",
    options: () => unrepeated,
    bar: 1 / 0.97,
    rounds: 10,
  }),
];
