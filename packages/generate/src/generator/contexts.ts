import { GenerateError } from "../error.ts";
import type { RandomState } from "../random/random-state.ts";
import type { SamplingOptions } from "../sampling/options.ts";
import type { GeneratedToken, GenerateOutcome, GenerateRequest } from "../scheduler/request.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { StopStrings } from "../text/stop-strings.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import { together } from "./generation.ts";
import {
  type GenerateOptions,
  listOf,
  randomOf,
  type Settled,
  samplingOf,
  type TransformersOptions,
} from "./options.ts";
import { encodePrompt, endsOf, type Prompt, promptAndMost } from "./prompt.ts";

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
  /** The token that completes one of these in the answer's text is its last. */
  readonly stop?: { readonly strings: readonly string[]; readonly skipSpecialTokens: boolean };
  readonly priority?: number;
  readonly adapter?: number;
  readonly random: RandomState;
  readonly done: boolean;
}

/** Rows that step together, each with its own options: several are stacked into one by `stackContexts`. */
export interface Context {
  readonly rows: readonly ContextRow[];
}

/** What a context, being data of tokens, can't keep or answer. */
const NOT_IN_CONTEXTS = [
  "streamer",
  "onToken",
  "allow",
  "signal",
  "logprobs",
  "promptLogprobs",
  "n",
  "bestOf",
  "numBeams",
  "guidanceScale",
  "speculate",
  "prediction",
  "jsonSchema",
  "json",
  "regex",
  "choice",
  "grammar",
  "form",
] as const;

/** Of those, the ones that ask for nothing when they are 1. */
const OFF_AT_ONE: ReadonlySet<string> = new Set(["n", "bestOf", "numBeams", "guidanceScale"]);

export type ContextOptions = Omit<GenerateOptions, (typeof NOT_IN_CONTEXTS)[number]>;

/** Makes of a call's options all that counts for it; defaults don't for what is left out. */
type ReadOptions = (
  given: ContextOptions | TransformersOptions,
  without: readonly (keyof GenerateOptions)[],
) => Settled;

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
  readonly #read: ReadOptions;

  constructor(scheduler: Scheduler, tokenizer: TextTokenizer, read: ReadOptions) {
    this.#scheduler = scheduler;
    this.#tokenizer = tokenizer;
    this.#read = read;
  }

  prepare(prompt: Prompt, given: ContextOptions | TransformersOptions): Context {
    const options = this.#read(given, NOT_IN_CONTEXTS);
    for (const name of NOT_IN_CONTEXTS) {
      const asked = options[name];
      if (asked !== undefined && (asked !== false || name === "jsonSchema") && !(asked === 1 && OFF_AT_ONE.has(name)))
        throw new GenerateError("unsupported", `a text that is generated step by step takes no ${name}`);
    }
    const { room } = this.#scheduler;
    const encoded = encodePrompt(this.#tokenizer, prompt, options);
    const { tokens, maxNewTokens } = promptAndMost(encoded, room, options, room);
    if (maxNewTokens === 0)
      throw new GenerateError("option-invalid", "maxNewTokens is 0, but must be above 0 for a text step by step");
    const { priority, adapter, skipSpecialTokens = true } = options;
    const strings = listOf(options.stop);
    const row: ContextRow = {
      tokens: Array.from(tokens),
      promptLength: tokens.length,
      maxLength: Math.min(room, tokens.length + maxNewTokens),
      sampling: samplingOf(options, tokens.length),
      ends: options.ignoreEos ? [] : endsOf(this.#tokenizer, options),
      ...(strings.length > 0 ? { stop: { strings, skipSpecialTokens } } : {}),
      ...(priority === undefined ? {} : { priority }),
      ...(adapter === undefined ? {} : { adapter }),
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
    const after = [...rows];
    await together(
      rows.flatMap((row, i) => {
        if (row.done) return [];
        return () => {
          const { done, cancel } = this.#scheduler.submit(this.#requestOf(row, maxNewTokens, signal));
          const goOn = ({ tokens: said, random, finishReason }: GenerateOutcome): void => {
            tokens.set(said, i * maxNewTokens);
            const all = [...row.tokens, ...said];
            after[i] = { ...row, tokens: all, random, done: finishReason === "stop" || all.length >= row.maxLength };
          };
          return { done: done.then(goOn), cancel };
        };
      }),
    );
    return { tokens, context: { rows: after } };
  }

  #requestOf(row: ContextRow, maxNewTokens: number, signal: AbortSignal | undefined): GenerateRequest {
    const { tokens, promptLength, priority, adapter } = row;
    const onToken = row.stop && this.#stopper(row.stop, tokens.slice(promptLength));
    return {
      prompt: tokens,
      answered: tokens.length - promptLength,
      maxNewTokens: Math.min(maxNewTokens, row.maxLength - tokens.length),
      sampling: row.sampling,
      random: row.random,
      stopTokens: row.ends,
      ...(priority === undefined ? {} : { priority }),
      ...(adapter === undefined ? {} : { adapter }),
      ...(signal ? { signal } : {}),
      ...(onToken ? { onToken } : {}),
    };
  }

  /** Finds stop strings in an answer that is gone on with: what was said before may hold the beginning of one. */
  #stopper(
    { strings, skipSpecialTokens }: NonNullable<ContextRow["stop"]>,
    said: readonly number[],
  ): (token: GeneratedToken) => boolean {
    const stops = new StopStrings(strings);
    const decoder = this.#tokenizer.stream({ skipSpecialTokens });
    for (const id of said) stops.push(decoder.push(id));
    return ({ id }) => {
      stops.push(decoder.push(id));
      return stops.stopped;
    };
  }
}
