import { demoModelFolder } from "@llm/demo-model";
import { expect, test } from "vitest";
import { openTokenizer } from "../tokenizer.ts";
import { answerQuestion, TEMPLATE } from "./choices.ts";

const VOCAB = 4096;
const tokenizer = await openTokenizer(demoModelFolder);
const question = { question: "Which keyword begins a function?", choices: ["class", "def", "import"], answer: 1 };

/** Answers with logits that are all the same, or all NaN for the choices named. */
const answer = (without: readonly string[]) => {
  let asked = 0;
  const prober = {
    chunk: 4096,
    async step(_at: number, _tokens: Int32Array, last: number) {
      const isNumber = !without.includes(question.choices[asked++]!);
      return new Float32Array(last * VOCAB).fill(isNumber ? 1 : Number.NaN);
    },
    async close() {},
  };
  return answerQuestion(question, TEMPLATE, tokenizer, prober, 1024, VOCAB);
};

test("a choice that has no likelihood is not preferred to one that has", async () => {
  expect(await answer(["class", "import"])).toEqual({ bySum: 1, byLength: 1 });
  expect(await answer(["def", "import"])).toEqual({ bySum: 0, byLength: 0 });
});

test("where no choice has a likelihood, it is said instead of taking the first", async () => {
  await expect(answer(question.choices)).rejects.toMatchObject({
    code: "verify-failed",
    message: expect.stringMatching(/^"Which keyword begins a function\?": no choice has a likelihood but NaN[^\n]*$/),
  });
});
