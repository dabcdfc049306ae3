import type { RowResult, Want } from "@llm/target";
import { ContextOverflowError, GenerateError } from "../error.ts";
import { type RandomState, randomState } from "../random/random-state.ts";
import type { History } from "../sampling/penalties.ts";
import { Sampler } from "../sampling/sampler.ts";
import { Drafts } from "../speculation/drafts.ts";
import type { FinishReason, GeneratedToken, GenerateOutcome, GenerateRequest } from "./request.ts";

let arrivals = 0;

/** What the device can do, as far as one sequence is concerned. */
export interface SequenceLimits {
  readonly vocab: number;
  readonly room: number; // tokens it can hold for one sequence
  readonly adapters: number;
  readonly speculates?: boolean; // whether guesses can be judged
}

/** A request while it is worked on: its tokens so far, how many of them a slot holds, and where it stands in the queue. */
export class Sequence {
  readonly request: GenerateRequest;
  readonly promptLength: number;
  readonly sampler: Sampler;
  readonly arrival: number = arrivals++;
  readonly done: Promise<GenerateOutcome>;
  /** The slot it has, or -1. */
  slot = -1;
  /** How many of its tokens the slot holds. */
  held = 0;
  length: number;
  random: RandomState;
  finished = false;
  /** The first of its tokens that a reader is still to be told of. */
  untold: number;
  cachedTokens: number | undefined;
  /** The step it came in at, or was last given prompt tokens in. */
  waitingSince = 0;
  lastServed = -1;
  /** Its priority, with what waiting added to it until it was let in. */
  importance = 0;
  /** Guesses at what comes, where that is wanted and can be done. */
  readonly drafts: Drafts | undefined;
  readonly #tokens: Int32Array; // prompt and answer
  readonly #limit: number; // tokens it may come to
  readonly #stops: ReadonlySet<number>;
  #mask: { readonly at: number; readonly allow: Uint32Array | undefined } | undefined;
  #settle!: { resolve(outcome: GenerateOutcome): void; reject(reason: unknown): void };

  constructor(request: GenerateRequest, { vocab, room, adapters, speculates = false }: SequenceLimits) {
    const { prompt, maxNewTokens, sampling = {}, stopTokens = [], ignoreEos = false } = request;
    const { adapter = 0, priority = 0, logprobs = 0 } = request;
    if (prompt.length === 0)
      throw new GenerateError("prompt-empty", "the prompt has no tokens; give it a beginning-of-text token at least");
    const { read } = request;
    const roomForPrompt = read ? room : room - 1; // what is only read needs no room for an answer
    if (prompt.length > roomForPrompt) throw new ContextOverflowError(prompt.length, roomForPrompt);
    if (read && !(Number.isInteger(read.from) && read.from >= 0 && read.from < prompt.length))
      throw new GenerateError("option-invalid", `there is no token ${read.from} among ${prompt.length} to tell from`);
    if (!read && !(Number.isInteger(maxNewTokens) && maxNewTokens > 0))
      throw new GenerateError("option-invalid", `maxNewTokens is ${maxNewTokens}, but must be a whole number above 0`);
    if (!(Number.isInteger(adapter) && adapter >= 0 && adapter <= adapters))
      throw new GenerateError("option-invalid", `there is no adapter ${adapter}: this device can load ${adapters}`);
    if (!Number.isFinite(priority))
      throw new GenerateError("option-invalid", `priority is ${priority}, but must be a number`);
    if (!(Number.isInteger(logprobs) && logprobs >= 0))
      throw new GenerateError("option-invalid", `logprobs is ${logprobs}, but must be a whole number`);
    checkTokens("the prompt", prompt, vocab);
    checkTokens("the prediction", request.prediction ?? [], vocab);
    this.request = request;
    this.untold = read?.from ?? 0;
    this.promptLength = prompt.length;
    this.length = prompt.length;
    this.#limit = Math.min(prompt.length + maxNewTokens, room);
    this.#tokens = new Int32Array(this.#limit);
    this.#tokens.set(Int32Array.from(prompt));
    this.sampler = new Sampler(sampling, { vocab, eos: stopTokens });
    this.random = request.random ?? randomState();
    this.#stops = new Set(ignoreEos ? [] : stopTokens);
    const guesses = speculates && (request.speculate ?? request.prediction !== undefined);
    this.drafts = guesses ? new Drafts(prompt, request.prediction) : undefined;
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.done.catch(() => {}); // whoever asked sees it; nobody asking is no crash
  }

  /** Tokens [from, to), as a view. */
  tokens(from = 0, to: number = this.length): Int32Array {
    return this.#tokens.subarray(from, to);
  }

  /** What the sampling options look at. */
  get history(): History {
    return {
      tokens: this.#tokens,
      length: this.length,
      promptLength: this.promptLength - (this.request.answered ?? 0),
    };
  }

  get generated(): Int32Array {
    return this.tokens(this.promptLength);
  }

  /** The request's mask for the next token. It is asked once for each, however often a step is planned anew. */
  allowed(): Uint32Array | undefined {
    const { allow: ask } = this.request;
    if (!ask) return undefined;
    if (this.#mask?.at === this.length) return this.#mask.allow;
    const allow = ask(this.generated);
    const words = Math.ceil(this.sampler.vocab / 32);
    if (allow !== undefined && allow.length !== words)
      throw new GenerateError(
        "option-invalid",
        `allow gave a mask of ${allow.length} words, but a vocabulary of ${this.sampler.vocab} takes ${words}`,
      );
    this.#mask = { at: this.length, allow };
    return allow;
  }

  /** How many tokens may still come. */
  get left(): number {
    return this.#limit - this.length;
  }

  /** How many tokens the device hasn't seen. */
  get pending(): number {
    return this.length - this.held;
  }

  /** Takes a new token in; settles when it was the last. */
  accept(token: GeneratedToken, random: RandomState): void {
    this.#tokens[this.length++] = token.id;
    this.random = random;
    this.drafts?.push(token.id);
    let stop: boolean;
    try {
      stop = this.request.onToken?.(token) === true;
    } catch (error) {
      this.fail(error); // a listener's trouble is its request's, not everybody's
      return;
    }
    if (this.finished) return; // cancelled by its listener
    if (stop || this.#stops.has(token.id)) this.#finish("stop");
    else if (this.length >= this.#limit) this.#finish("length");
  }

  /** Tells a reader of the last tokens of a row; settles when there are no more. */
  told(want: Want | undefined, result: RowResult): void {
    if (want && !this.finished) {
      const at = this.held - want.last;
      try {
        this.request.read!.onRows((result.logits ?? result.hidden)!, at, want.last);
      } catch (error) {
        this.fail(error);
        return;
      }
      this.untold = this.held;
    }
    if (!this.finished && this.held === this.length) this.#finish("length");
  }

  /** Ends it without a result. */
  fail(reason: unknown): void {
    if (this.finished) return;
    this.finished = true;
    this.#settle.reject(reason);
  }

  #finish(finishReason: FinishReason): void {
    this.finished = true;
    const tokens = this.generated.slice();
    const usage = {
      promptTokens: this.promptLength,
      cachedTokens: this.cachedTokens ?? 0,
      completionTokens: tokens.length,
      ...(this.drafts ? { draftTokens: this.drafts.sent, acceptedTokens: this.drafts.accepted } : {}),
    };
    this.#settle.resolve({ tokens, finishReason, random: this.random, usage });
  }
}

function checkTokens(what: string, tokens: ArrayLike<number>, vocab: number): void {
  for (let i = 0; i < tokens.length; i++)
    if (!(Number.isInteger(tokens[i]) && tokens[i]! >= 0 && tokens[i]! < vocab))
      throw new GenerateError("option-invalid", `${what}'s token ${tokens[i]} is not in the vocabulary of ${vocab}`);
}
