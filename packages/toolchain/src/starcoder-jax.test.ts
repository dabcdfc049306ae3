import { readFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { stackContexts } from "@llm/generate";
import { afterAll, describe, expect, it } from "vitest";
import { Generator } from "./generator.ts";
import { scratch } from "./testing/scratch.ts";

interface Golden {
  readonly prompts: readonly { text: string; input_ids: number[]; greedy: number[] }[];
}

// What a program that used starcoder-jax relies on, under its names in camel case; the checkpoint is a GPTBigCode, as there.
const { env } = scratch();
const { prompts } = JSON.parse(readFileSync(join(demoModelFolder, "golden.json"), "utf8")) as Golden;
const mesh = { dp: 1, mp: 2 };
const generator = await Generator.fromPretrained("demo", { env, token: "hf_unused", mesh, batchSize: 4 });
afterAll(() => generator.close());

const NEW_TOKENS = 24;
const expected = prompts.map(({ greedy }) => greedy.slice(0, NEW_TOKENS));
const greedy = { temperature: 0, maxNewTokens: NEW_TOKENS };

describe("a program of starcoder-jax", () => {
  it("opens a repository with a token on a mesh, which gives the text of the model that isn't shared", async () => {
    expect(generator.runnable.mesh).toEqual({ dp: 1, mp: 2, pp: 1 });
    const contexts = prompts.map(({ text }) => generator.prepareContext(text, greedy));
    const { tokens } = await generator.generateAtOnce(stackContexts(contexts), NEW_TOKENS);
    expect(rowsOf(tokens, prompts.length)).toEqual(expected);
  });

  it("shares an open model otherwise", async () => {
    const whole = await Generator.fromPretrained("demo", { env, batchSize: 2 });
    const sharded = await whole.shard({ dp: 2, mp: 1 });
    try {
      const context = sharded.prepareContext(prompts[0]!.text, greedy);
      expect(Array.from((await sharded.generateAtOnce(context, NEW_TOKENS)).tokens)).toEqual(expected[0]);
    } finally {
      await sharded.close();
    }
  });

  it("prepares a context of text, length, temperature and top-p, with the tokenizer and the random state in the open", () => {
    const [{ text, input_ids }] = prompts as [Golden["prompts"][0]];
    const context = generator.prepareContext(text, { max_length: 64, temperature: 0.3, top_p: 0.8, seed: 11 });
    expect(Array.from(generator.tokenizer.encode(text))).toEqual(input_ids);
    expect(context.rows).toMatchObject([
      {
        tokens: input_ids,
        promptLength: input_ids.length,
        maxLength: 64,
        sampling: { temperature: 0.3, topP: 0.8 },
        random: { key: [11, 0], drawn: 0 },
        done: false,
      },
    ]);
    expect(generator.tokenizer.decode(input_ids)).toBe(text);
  });

  it("goes on token by token, each row by its own options, and hands the random state on", async () => {
    const [one, other] = prompts as [Golden["prompts"][0], Golden["prompts"][0]];
    const sampled = { temperature: 0.9, topP: 0.95, seed: 3, maxNewTokens: 10 };
    const batch = stackContexts([
      generator.prepareContext(one.text, { ...greedy, maxNewTokens: 6 }),
      generator.prepareContext(other.text, sampled),
    ]);
    const steps: number[][] = [];
    let drawn = 0;
    for await (const { tokens, context } of generator.generateFromContext(batch)) {
      steps.push(Array.from(tokens));
      expect(context.rows[0]!.random).toEqual(batch.rows[0]!.random); // greedy draws nothing
      if (tokens[1] !== -1) expect(context.rows[1]!.random.drawn).toBe(++drawn);
    }
    expect(steps.slice(0, 6).map(([id]) => id)).toEqual(one.greedy.slice(0, 6));
    expect(steps.slice(6).every(([id]) => id === -1)).toBe(true);
    const { tokens } = await generator.generateNextTokens(batch);
    expect(Array.from(tokens)).toEqual(steps[0]);
  });

  it("generates at once, with -1 after a row's end", async () => {
    const [first] = prompts as [Golden["prompts"][0]];
    const end = first.greedy[4]!;
    const context = generator.prepareContext(first.text, { ...greedy, stopTokens: [end] });
    const { tokens, context: after } = await generator.generateAtOnce(context, 12);
    const length = first.greedy.indexOf(end) + 1;
    expect(Array.from(tokens)).toEqual([...first.greedy.slice(0, length), ...Array<number>(12 - length).fill(-1)]);
    expect(after.rows[0]).toMatchObject({ done: true });
  });
});

function rowsOf(tokens: Int32Array, rows: number): number[][] {
  const width = tokens.length / rows;
  return Array.from({ length: rows }, (_, i) => Array.from(tokens.subarray(i * width, (i + 1) * width)));
}
