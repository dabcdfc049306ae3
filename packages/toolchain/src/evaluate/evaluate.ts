import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Tokenizer } from "@llm/tokenizer-bpe";
import { ToolchainError } from "../error.ts";
import type { Model } from "../open-model.ts";
import { sampleMemory } from "../peak-memory.ts";
import { evaluationCache, writableFolder } from "../places.ts";
import { type BlockError, blockErrors } from "./block-errors.ts";
import { answerQuestion, type Choices, questionsOf, TEMPLATE } from "./choices.ts";
import { sizeOfFile, tokensOf } from "./documents.ts";
import type { Engine, Options, Prober } from "./engine.ts";
import { ProgressStore } from "./progress-store.ts";
import { addScores, NO_SCORE, type Quality, qualityOf } from "./score.ts";
import { scoreWindow } from "./score-window.ts";
import { weightBytes } from "./weight-size.ts";
import { windowsOf } from "./windows.ts";

/** A form of the model to be measured, by the options that make it. */
export interface Variant {
  readonly name: string; // "mxfp6"
  readonly options: Options;
}

export interface EvalOptions {
  /** A file with text, or `.jsonl` with a text a line. */
  readonly text?: string;
  /** A `.jsonl` file with multiple-choice questions. */
  readonly tasks?: string;
  /** How a question is put; `{question}` stands for it. */
  readonly template?: string;
  readonly variants: readonly Variant[];
  /** Tokens of a window; the model's context, 1024 at most, unless said. */
  readonly context?: number;
  /** How far windows are apart; as far as they are long unless said. */
  readonly stride?: number;
  /** Stop after so many predicted tokens. */
  readonly maxTokens?: number;
  /** Whether errors per block are measured too; they are unless said. */
  readonly blocks?: boolean;
  /** Forget what an interrupted run left. */
  readonly force?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  onProgress?(progress: EvalProgress): void;
}

export interface EvalProgress {
  readonly variant: string;
  readonly done: number;
  readonly total: number;
  /** As far as it can be told by now. */
  readonly secondsLeft?: number;
  /** Of what was read so far. */
  readonly perplexity?: number;
}

/** What came out for one form of the model. */
export interface VariantReport extends Partial<Quality> {
  readonly name: string;
  readonly options: Options;
  /** Of all weights, scales included. */
  readonly bytes: number;
  readonly bitsPerWeight: number;
  readonly blocks?: readonly BlockError[];
  readonly choices?: Choices;
  /** Tokens whose scores an interrupted run had left. */
  readonly resumed?: number;
}

export interface EvalReport {
  readonly engine: string;
  readonly context: number;
  readonly stride: number;
  readonly variants: readonly VariantReport[];
  readonly seconds: number;
  readonly peakRssBytes: number;
}

/** Longest window unless said: longer ones cost more than they tell. */
const CONTEXT = 1024;
/** Tokens whose streams are compared block by block. */
const BLOCK_TOKENS = 64;

/**
 * Measures a model in one or several formats against itself unquantised: perplexity, divergence and agreement on a text, errors
 * block by block, and multiple-choice questions. The text is read as it goes: memory doesn't grow with it. What is interrupted
 * goes on where it was.
 *
 * @example
 * await evaluate(model, tokenizer, deviceEngine(model, cpuTarget), { text: "wiki.txt", variants: [{ name: "mxfp6", options: { format: "mxfp6" } }] });
 */
export async function evaluate(
  model: Model,
  tokenizer: Tokenizer,
  engine: Engine,
  options: EvalOptions,
): Promise<EvalReport> {
  const began = performance.now();
  const memory = sampleMemory();
  const { text, tasks, variants } = options;
  if (text === undefined && tasks === undefined)
    throw new ToolchainError("option-invalid", "there is nothing to evaluate with: give a text, or tasks");
  const windows = windowSizes(model, options);
  const run: Run = { model, tokenizer, engine, options, ...windows, stores: [] };
  const reports: VariantReport[] = [];
  for (const variant of variants) reports.push(await evaluateVariant(run, variant));
  for (const store of run.stores) await store.remove();
  return {
    engine: engine.id,
    ...windows,
    variants: reports,
    seconds: (performance.now() - began) / 1000,
    peakRssBytes: memory.stop(),
  };
}

interface Run {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly engine: Engine;
  readonly options: EvalOptions;
  readonly context: number;
  readonly stride: number;
  /** Kept until all of it is done, so that several formats go on together. */
  readonly stores: ProgressStore[];
}

function windowSizes({ card }: Model, options: EvalOptions): { readonly context: number; readonly stride: number } {
  const context = options.context ?? Math.min(CONTEXT, card.context);
  if (context < 2 || context > card.context)
    throw new ToolchainError("option-invalid", `windows of ${context} tokens: this model takes 2 to ${card.context}`);
  const stride = options.stride ?? context;
  if (stride < 1 || stride > context)
    throw new ToolchainError("option-invalid", `a stride of ${stride}: windows of ${context} take 1 to ${context}`);
  return { context, stride };
}

async function evaluateVariant(run: Run, { name, options }: Variant): Promise<VariantReport> {
  const { model, engine } = run;
  const weights = await engine.weights(options);
  const bytes = weightBytes(weights, model.weights);
  const probers = await openBoth(run, options);
  try {
    const measured = run.options.text === undefined ? {} : await measureText(run, name, options, probers);
    const choices = run.options.tasks === undefined ? {} : { choices: await measureChoices(run, name, probers.actual) };
    const blocks =
      run.options.text === undefined || run.options.blocks === false
        ? {}
        : { blocks: await measureBlocks(run, options) };
    const bitsPerWeight = (bytes * 8) / model.card.parameters;
    return { name, options, bytes, bitsPerWeight, ...measured, ...choices, ...blocks };
  } finally {
    await probers.close();
  }
}

interface Both {
  readonly actual: Prober;
  /** The unquantised model; the same where that is what is measured. */
  readonly base: Prober;
  close(): Promise<void>;
}

async function openBoth({ engine, context }: Run, options: Options): Promise<Both> {
  const plain = engine.unquantised(options);
  const isPlain = (await engine.key(plain)) === (await engine.key(options));
  const actual = await engine.open(options, context);
  try {
    const base = isPlain ? actual : await engine.open(plain, context);
    return {
      actual,
      base,
      close: async () => {
        await actual.close();
        if (base !== actual) await base.close();
      },
    };
  } catch (error) {
    await actual.close();
    throw error;
  }
}

async function measureText(run: Run, name: string, options: Options, { actual, base }: Both) {
  const { model, tokenizer, engine, context, stride } = run;
  const { maxTokens = Number.POSITIVE_INFINITY, force, env, signal, onProgress } = run.options;
  const file = resolve(run.options.text!);
  const total = await sizeOfFile(file);
  const { mtimeMs } = await stat(file);
  const folder = await writableFolder(evaluationCache(env));
  const store = new ProgressStore(folder, [
    await engine.key(options),
    engine.id,
    file,
    total,
    mtimeMs,
    context,
    stride,
    run.options.maxTokens ?? null,
  ]);
  run.stores.push(store);
  const kept = force ? undefined : await store.read();
  let { windows = 0, score = NO_SCORE } = kept ?? {};
  const resumed = score.tokens;

  const began = performance.now();
  let skipped = 0; // bytes of windows that an earlier run has done
  let at = 0;
  try {
    for await (const window of windowsOf(tokensOf(file, tokenizer), { context, stride })) {
      if (score.tokens >= maxTokens) break;
      if (at++ < windows) {
        skipped = window.bytes;
        continue;
      }
      signal?.throwIfAborted();
      const left = maxTokens - score.tokens;
      const ids = window.ids.subarray(0, Math.min(window.ids.length, window.from + left));
      checkIds(ids, model.card.vocab);
      score = addScores(score, await scoreWindow({ ids, from: window.from }, actual, base, model.card.vocab));
      windows = at;
      await store.write({ windows, score });
      const share = Math.max(window.bytes / total, score.tokens / maxTokens);
      const before = resumed === 0 ? 0 : Math.max(skipped / total, resumed / maxTokens);
      const perSecond = (share - before) / ((performance.now() - began) / 1000);
      onProgress?.({
        variant: name,
        done: Math.round(share * total),
        total,
        perplexity: Math.exp(score.loss / score.tokens),
        ...(perSecond > 0 ? { secondsLeft: (1 - share) / perSecond } : {}),
      });
    }
  } finally {
    if (windows > (kept?.windows ?? 0)) await store.write({ windows, score }, true);
  }
  if (score.tokens === 0)
    throw new ToolchainError("input-invalid", `${file}: has no two tokens in a row, so there is nothing to predict`);
  return { ...qualityOf(score), ...(resumed > 0 ? { resumed } : {}) };
}

function checkIds(ids: Int32Array, vocab: number): void {
  const outside = ids.find((id) => id >= vocab);
  if (outside !== undefined)
    throw new ToolchainError(
      "model-mismatch",
      `the tokenizer makes token ${outside}, but the model has ${vocab}: they don't belong together`,
    );
}

async function measureBlocks({ model, tokenizer, engine, context, options: { text } }: Run, options: Options) {
  const most = Math.min(BLOCK_TOKENS, context);
  let ids = new Int32Array();
  for await (const piece of tokensOf(resolve(text!), tokenizer)) {
    ids = piece.ids.slice(0, most);
    break;
  }
  checkIds(ids, model.card.vocab);
  return blockErrors(await engine.streams(options, ids), await engine.streams(engine.unquantised(options), ids));
}

async function measureChoices(run: Run, name: string, prober: Prober): Promise<Choices> {
  const { model, tokenizer, context, options } = run;
  const file = resolve(options.tasks!);
  const total = await sizeOfFile(file);
  const began = performance.now();
  const counts = { questions: 0, bySum: 0, byLength: 0 };
  let read = 0;
  for await (const { question, bytes } of questionsOf(file)) {
    options.signal?.throwIfAborted();
    const found = await answerQuestion(
      question,
      options.template ?? TEMPLATE,
      tokenizer,
      prober,
      context,
      model.card.vocab,
    );
    counts.questions++;
    if (found.bySum === question.answer) counts.bySum++;
    if (found.byLength === question.answer) counts.byLength++;
    read += bytes;
    const secondsLeft = (((performance.now() - began) / 1000) * Math.max(0, total - read)) / read;
    options.onProgress?.({ variant: name, done: Math.min(read, total), total, secondsLeft });
  }
  const { questions, bySum, byLength } = counts;
  if (questions === 0) throw new ToolchainError("input-invalid", `${file}: holds no questions`);
  return { questions, accuracy: bySum / questions, normalisedAccuracy: byLength / questions };
}
