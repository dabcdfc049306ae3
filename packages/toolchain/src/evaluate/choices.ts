import type { Tokenizer } from "@llm/tokenizer-bpe";
import { ToolchainError } from "../error.ts";
import { jsonLines } from "./documents.ts";
import type { Prober } from "./engine.ts";
import { logLikelihood } from "./score.ts";

/** A question with answers to choose from. */
export interface Question {
  readonly question: string;
  readonly choices: readonly string[];
  /** Place of the right one. */
  readonly answer: number;
}

/** How often the right choice was the likeliest. */
export interface Choices {
  readonly questions: number;
  /** By the sum of its tokens' log-probabilities. */
  readonly accuracy: number;
  /** By that divided by its length in characters: longer choices are not at a loss. */
  readonly normalisedAccuracy: number;
}

/** How a question is put unless said: `{question}` stands for it. */
export const TEMPLATE = "Question: {question}\nAnswer:";

/** Characters of a question that an error shows. */
const QUOTED = 60;

/** What stands between a question and a choice. */
const DELIMITER = " ";

/**
 * Questions of a JSONL file: `question` (or `query`, `ctx`), `choices` (or `endings`; texts, or `{text, label}`) and `answer` (or `answerKey`,
 * `gold`, `label`): a place counted from 0, a label, or the choice itself.
 */
export async function* questionsOf(
  file: string,
): AsyncGenerator<{ readonly question: Question; readonly bytes: number }> {
  for await (const { value, line } of jsonLines(file)) {
    const question = readQuestion(value);
    if (!question)
      throw new ToolchainError(
        "input-invalid",
        `${file}: line ${line.number} is no question with choices and an answer among them`,
      );
    yield { question, bytes: line.bytes };
  }
}

export function readQuestion(value: unknown): Question | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const given = value as Readonly<Record<string, unknown>>;
  const question = [given.question, given.query, given.ctx].find((one): one is string => typeof one === "string");
  const { texts, labels } = readChoices(given.choices ?? given.endings);
  const said = [given.answer, given.answerKey, given.gold, given.label].find((one) => one !== undefined);
  if (question === undefined || texts.length < 2 || said === undefined) return undefined;
  const answer = answerOf(said, texts, labels);
  return answer === undefined ? undefined : { question, choices: texts, answer };
}

function readChoices(value: unknown): { readonly texts: readonly string[]; readonly labels: readonly string[] } {
  const letters = (count: number) => Array.from({ length: count }, (_, i) => String.fromCharCode(65 + i));
  if (isTexts(value)) return { texts: value, labels: letters(value.length) };
  const { text, label } = (value ?? {}) as { text?: unknown; label?: unknown };
  if (!isTexts(text)) return { texts: [], labels: [] };
  return { texts: text, labels: isTexts(label) && label.length === text.length ? label : letters(text.length) };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** A number is a place, unless it is one of the labels; a text is a label, then a choice, then a place. */
function answerOf(said: unknown, texts: readonly string[], labels: readonly string[]): number | undefined {
  if (typeof said === "number" && labels.includes(String(said))) return labels.indexOf(String(said));
  if (typeof said === "number") return Number.isInteger(said) && said >= 0 && said < texts.length ? said : undefined;
  if (typeof said !== "string") return undefined;
  for (const list of [labels, texts]) if (list.includes(said)) return list.indexOf(said);
  return /^\d+$/.test(said) && Number(said) < texts.length ? Number(said) : undefined;
}

/** Which choice a model thinks likeliest, by sum and by character. */
export async function answerQuestion(
  { question, choices }: Question,
  template: string,
  tokenizer: Tokenizer,
  prober: Prober,
  context: number,
  vocab: number,
): Promise<{ readonly bySum: number; readonly byLength: number }> {
  const before = template.replaceAll("{question}", () => question);
  const sums: number[] = [];
  for (const choice of choices) {
    const { ids, from } = pairOf(before, DELIMITER + choice, tokenizer);
    const cut = Math.max(0, ids.length - 1 - context); // as evaluation harnesses do, a question loses its beginning
    sums.push(await sumOf(ids.subarray(cut), from - cut, prober, vocab));
  }
  if (sums.every(Number.isNaN))
    throw new ToolchainError(
      "verify-failed",
      `"${question.slice(0, QUOTED)}": no choice has a likelihood but NaN, so there is none to prefer; \`llm verify\` shows in which block the numbers end`,
    );
  return { bySum: greatest(sums), byLength: greatest(sums.map((sum, i) => sum / choices[i]!.length)) };
}

/** Question and choice tokenised together, and where the choice's tokens begin: spaces between belong to the choice. */
function pairOf(before: string, after: string, tokenizer: Tokenizer): { ids: Int32Array; from: number } {
  const context = before.trimEnd();
  const whole = tokenizer.encode(context + before.slice(context.length) + after, { parseSpecial: false });
  const end = tokenizer.added.after.length;
  const ids = whole.subarray(0, whole.length - end);
  const alone = tokenizer.encode(context, { parseSpecial: false }).length - end;
  return { ids, from: Math.max(1, Math.min(alone, ids.length - 1)) };
}

async function sumOf(ids: Int32Array, from: number, prober: Prober, vocab: number): Promise<number> {
  const first = Math.max(1, from);
  let sum = 0;
  for (let at = 0; at < ids.length - 1; at += prober.chunk) {
    const end = Math.min(at + prober.chunk, ids.length - 1);
    const last = Math.min(end - at, Math.max(0, end - (first - 1)));
    const logits = await prober.step(at, ids.subarray(at, end), last, ids.length - 1);
    if (last > 0) sum += logLikelihood(logits, ids.subarray(end - last + 1, end + 1), vocab).sum;
  }
  return sum;
}

/** NaN is less than any other. */
function greatest(values: readonly number[]): number {
  const isBetter = (value: number, than: number) => value > than || (Number.isNaN(than) && !Number.isNaN(value));
  return values.reduce((best, value, i) => (isBetter(value, values[best]!) ? i : best), 0);
}
