import { GenerateError } from "../error.ts";
import type { RandomState } from "../random/random-state.ts";
import type { SamplingOptions } from "../sampling/options.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import { type GenerateOptions, randomOf, readOptions, samplingOf, type TransformersOptions } from "./options.ts";
import { encodePrompt, endsOf, fitPrompt, type Prompt, roomLeft } from "./prompt.ts";

/** What stands in a row after its end. */
export const AFTER_END = -1;

/** One text that is being generated, as plain data (JSON): nothing of it lives anywhere else. */
export interface ContextRow {
  readonly tokens: readonly number[]; // prompt and answer
  readonly promptLength: number;
  /** Tokens it may come to. */
  readonly maxLength: number;
  readonly sampling: SamplingOptions;
  readonly ends: readonly number[];
  readonly random: RandomState;
  readonly done: boolean;
}

/** Rows that step together, each with its own options: several are stacked into one by `stackContexts`. */
export interface Context {
  readonly rows: readonly ContextRow[];
}

export type ContextOptions = Omit<GenerateOptions, "stop" | "streamer" | "allow" | "signal" | "logprobs">;

export interface ContextStep {
  /** (rows, steps), -1 after a row's end. */
  readonly tokens: Int32Array;
  readonly context: Context;
}

/** Several contexts as one batch; options stay each row's own. */
export function stackContexts(contexts: readonly Context[]): Context {
  return { rows: contexts.flatMap(({ rows }) => rows) };
}

/** Generation step by step. What the device has of a row is found again by its tokens, so a context can be kept and resumed. */
export class Contexts {
  readonly #scheduler: Scheduler;
  readonly #tokenizer: TextTokenizer;
  readonly #defaults: GenerateOptions;

  constructor(scheduler: Scheduler, tokenizer: TextTokenizer, defaults: GenerateOptions) {
    this.#scheduler = scheduler;
    this.#tokenizer = tokenizer;
    this.#defaults = defaults;
  }

  prepare(prompt: Prompt, given: ContextOptions | TransformersOptions): Context {
    const options = { ...this.#defaults, ...readOptions(given) };
    const { room } = this.#scheduler;
    const { maxNewTokens, maxLength = room, truncatePrompt: truncate } = options;
    const tokens = fitPrompt(encodePrompt(this.#tokenizer, prompt, options), {
      room,
      reserve: maxNewTokens ?? 1,
      truncate,
    });
    const most = Math.min(room, maxNewTokens === undefined ? maxLength : tokens.length + maxNewTokens);
    roomLeft(tokens.length, most);
    const row: ContextRow = {
      tokens: Array.from(tokens),
      promptLength: tokens.length,
      maxLength: most,
      sampling: samplingOf(options, tokens.length),
      ends: options.ignoreEos ? [] : endsOf(this.#tokenizer, options),
      random: randomOf(options),
      done: false,
    };
    return { rows: [row] };
  }

  next(context: Context, signal?: AbortSignal): Promise<ContextStep> {
    return this.atOnce(context, 1, signal);
  }

  async *run(context: Context, signal?: AbortSignal): AsyncGenerator<ContextStep> {
    for (let now = context; now.rows.some(({ done }) => !done); ) {
      const step = await this.next(now, signal);
      now = step.context;
      yield step;
    }
  }

  async atOnce({ rows }: Context, maxNewTokens: number, signal?: AbortSignal): Promise<ContextStep> {
    const tokens = new Int32Array(rows.length * maxNewTokens).fill(AFTER_END);
    const after = await Promise.all(
      rows.map(async (row, i): Promise<ContextRow> => {
        if (row.done) return row;
        const {
          tokens: said,
          random,
          finishReason,
        } = await this.#scheduler.submit({
          prompt: row.tokens,
          answered: row.tokens.length - row.promptLength,
          maxNewTokens: Math.min(maxNewTokens, row.maxLength - row.tokens.length),
          sampling: row.sampling,
          random: row.random,
          stopTokens: row.ends,
          ...(signal ? { signal } : {}),
        }).done;
        tokens.set(said, i * maxNewTokens);
        const all = [...row.tokens, ...said];
        return { ...row, tokens: all, random, done: finishReason === "stop" || all.length >= row.maxLength };
      }),
    );
    return { tokens, context: { rows: after } };
  }
}
