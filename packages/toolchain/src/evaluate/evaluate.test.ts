import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { afterAll, describe, expect, it } from "vitest";
import { referenceLogits } from "../logits.ts";
import { openModel } from "../open-model.ts";
import { openReference } from "../reference.ts";
import { findTarget } from "../targets.ts";
import { scratch } from "../testing/scratch.ts";
import { tokenizerOf } from "../tokenizer.ts";
import { readQuestion } from "./choices.ts";
import { deviceEngine, referenceEngine } from "./engine.ts";
import { type EvalOptions, evaluate } from "./evaluate.ts";

const { env, folder } = scratch();
const { target } = await findTarget("cpu");
const demo = await openModel(demoModelFolder, { name: "demo" });
const tokenizer = await tokenizerOf(demo.checkpoint);
afterAll(() => demo.close());

const TEXT =
  'def area(width, height):\n    """The area of a box."""\n    return width * height\n\n\nprint(area(3, 4))\n';
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const plain = [{ name: "fp32", options: {} }];
const onCpu = (options: Omit<EvalOptions, "env">) =>
  evaluate(demo, tokenizer, deviceEngine(demo, target, { env }), { env, ...options });

/** −ln p of every token but the first, by the plain interpreter and nothing of what is tested here. */
async function losses(text: string): Promise<number[]> {
  const ids = tokenizer.encode(text);
  const reference = await openReference(demo, { context: ids.length });
  const { logits } = await referenceLogits(reference, demo.card, { ids });
  const { vocab } = demo.card;
  return [...ids.subarray(1)].map((id, i) => {
    const row = logits.subarray(i * vocab, (i + 1) * vocab);
    const most = Math.max(...row);
    return most + Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0)) - row[id]!;
  });
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe("evaluating", () => {
  it("gives a text's perplexity, on a device as on the interpreter", async () => {
    const expected = Math.exp(mean(await losses(TEXT)));
    const text = file("text.txt", TEXT);
    const [cpu] = (await onCpu({ text, variants: plain, blocks: false })).variants;
    expect(cpu!.perplexity).toBeCloseTo(expected, 3);
    expect(cpu).toMatchObject({ kl: 0, top1Agreement: 1, tokens: tokenizer.encode(TEXT).length - 1 });
    const reference = await evaluate(demo, tokenizer, referenceEngine(demo), { text, variants: plain, env });
    expect(reference.variants[0]!.perplexity).toBeCloseTo(expected, 5);
  });

  it("takes each line of a .jsonl for a text of its own", async () => {
    const lines = ["def one():", "class Two:\n    pass"];
    const text = file("lines.jsonl", `${JSON.stringify(lines[0])}\n\n${JSON.stringify({ text: lines[1] })}\n`);
    const all = [...(await losses(lines[0]!)), ...(await losses(lines[1]!))];
    const [found] = (await onCpu({ text, variants: plain, blocks: false })).variants;
    expect(found).toMatchObject({ tokens: all.length, perplexity: expect.closeTo(Math.exp(mean(all)), 3) });
    const bad = file("bad.jsonl", '{"txt": "x"}\n');
    await expect(onCpu({ text: bad, variants: plain })).rejects.toThrow(/bad\.jsonl: line 1 is neither a JSON string/);
  });

  it("measures formats against the model itself, and how the error grows", async () => {
    const variants = ["mxfp6", "mxfp4"].map((format) => ({ name: format, options: { format } }));
    const { variants: found } = await onCpu({ text: file("text.txt", TEXT), variants });
    const [six, four] = found;
    expect(six!.kl!).toBeGreaterThan(0);
    expect(four!.kl!).toBeGreaterThan(3 * six!.kl!);
    expect(four!.bytes).toBeLessThan(six!.bytes);
    expect(six!.blocks!.map(({ name }) => name)).toEqual(["embedding", ...[0, 1, 2, 3, 4, 5].map((i) => `block_${i}`)]);
    for (const [i, { relative }] of six!.blocks!.entries()) {
      expect(relative).toBeLessThan(0.2);
      if (i > 0) expect(four!.blocks![i]!.relative).toBeGreaterThan(relative);
    }
  });

  it("goes on where it was interrupted, to the same figures", async () => {
    const text = file("long.txt", TEXT.repeat(6));
    const options = { text, variants: plain, blocks: false, context: 32 };
    const whole = await onCpu({ ...options, force: true });
    const stop = new AbortController();
    let windows = 0;
    const stopped = onCpu({ ...options, signal: stop.signal, onProgress: () => ++windows === 3 && stop.abort() });
    await expect(stopped).rejects.toThrow(/abort/i);
    const resumed = await onCpu(options);
    expect(resumed.variants[0]).toMatchObject({ resumed: 93 });
    expect(resumed.variants[0]!.perplexity).toBe(whole.variants[0]!.perplexity);
    expect((await onCpu(options)).variants[0]).not.toHaveProperty("resumed");
  });

  it("refuses windows that the model can't take", async () => {
    const text = file("text.txt", TEXT);
    await expect(onCpu({ text, variants: plain, context: 5000 })).rejects.toThrow("this model takes 2 to 1024");
    await expect(onCpu({ text, variants: plain, context: 8, stride: 9 })).rejects.toThrow("windows of 8 take 1 to 8");
    await expect(onCpu({ text: join(folder, "no.txt"), variants: plain })).rejects.toThrow(/no\.txt: can't be read/);
  });
});

describe("multiple choice", () => {
  it("is decided by each choice's log-likelihood after the question", async () => {
    const before = "import os\nimport";
    const choices = [" sys", " zebra crossing", " os"];
    const sums: number[] = [];
    for (const choice of choices) {
      const count = tokenizer.encode(before + choice).length - tokenizer.encode(before).length;
      sums.push(-(await losses(before + choice)).slice(-count).reduce((a, b) => a + b, 0));
    }
    const best = sums.indexOf(Math.max(...sums));
    const perCharacter = sums.map((sum, i) => sum / choices[i]!.trimStart().length);
    const byLength = perCharacter.indexOf(Math.max(...perCharacter));
    const line = (answer: number) =>
      JSON.stringify({ question: before, choices: choices.map((one) => one.trimStart()), answer });
    const tasks = file("tasks.jsonl", `${line(best)}\n${line((best + 1) % 3)}\n`);
    const { variants } = await onCpu({ tasks, template: "{question}", variants: plain });
    expect(variants[0]!.choices).toEqual({
      questions: 2,
      accuracy: 0.5,
      normalisedAccuracy: [best, (best + 1) % 3].filter((answer) => answer === byLength).length / 2,
    });
  });

  it.each([
    [{ question: "q", choices: ["a", "b"], answer: 1 }, 1],
    [{ question: "q", choices: ["a", "b"], answer: "B" }, 1],
    [{ question: "q", choices: ["x", "y"], answer: "y" }, 1],
    [{ query: "q", choices: ["a", "b"], gold: 0 }, 0],
    [{ ctx: "q", endings: ["a", "b", "c"], label: "2" }, 2],
    [{ question: "q", choices: { text: ["a", "b"], label: ["1", "2"] }, answerKey: "2" }, 1],
    [{ question: "q", choices: { text: ["a", "b"], label: ["1", "2"] }, answerKey: 1 }, 0],
    [{ question: "q", choices: { text: ["a", "b"], label: ["1", "2"] }, answerKey: 2 }, 1],
    [{ question: "q", choices: ["a", "b"], answer: 2 }, undefined],
    [{ question: "q", choices: ["a"], answer: 0 }, undefined],
    [{ choices: ["a", "b"], answer: 0 }, undefined],
    ["q", undefined],
  ])("%o is answered by %s", (line, answer) => {
    expect(readQuestion(line)?.answer).toBe(answer);
  });
});
