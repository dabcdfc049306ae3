import type { RandomState } from "../random/random-state.ts";
import type { SamplingOptions } from "../sampling/options.ts";

/** One sequence to go on with, in tokens. */
export interface GenerateRequest {
  readonly prompt: ArrayLike<number>;
  readonly maxNewTokens: number;
  /** How many of the prompt's last tokens are an answer that is gone on with: to the options, they are no prompt. */
  readonly answered?: number;
  readonly sampling?: SamplingOptions;
  readonly random?: RandomState; // seed 0 unless given
  /** Tokens that end the text: the model's own, and any others. */
  readonly stopTokens?: readonly number[];
  /** Go on past them. */
  readonly ignoreEos?: boolean;
  /** Log-probabilities of each token and of this many of the best beside it. */
  readonly logprobs?: number;
  /** Higher goes first; waiting raises it slowly, so that nobody waits for ever. */
  readonly priority?: number;
  readonly adapter?: number;
  readonly signal?: AbortSignal;
  /** Tokens allowed next, as a bit mask over the vocabulary (LSB first); nothing: all. */
  readonly allow?: (generated: Int32Array) => Uint32Array | undefined;
  /** How many of these guesses could come after what was generated, one after the other, as far as `allow` goes. */
  readonly viable?: (generated: Int32Array, guess: Int32Array) => number;
  /** Guess tokens from what was said before, and from a draft model where there is one: the text stays the same. */
  readonly speculate?: boolean;
  /** What the answer may look like, to guess from: the text before a change, mostly. */
  readonly prediction?: ArrayLike<number>;
  /** @internal Tells of the prompt's tokens instead of adding any; see `Scheduler.read`. */
  readonly read?: Required<Pick<ReadRequest, "kind" | "from" | "onRows">>;
  /** Told once, when it no longer waits for others. */
  readonly onStart?: () => void;
  /** Told of every token as it comes; true ends the text there. */
  readonly onToken?: (token: GeneratedToken) => unknown;
}

/** Tokens to read, and what to tell of them. */
export interface ReadRequest {
  readonly tokens: ArrayLike<number>;
  readonly kind: "logits" | "hidden";
  /** The first token that is told of; only the last, unless said. What comes before may be found in the cache. */
  readonly from?: number;
  /** Told of some tokens at a time, in order: (tokens, vocabulary or width), a view that lives until it returns. */
  readonly onRows: (values: Float32Array, at: number, count: number) => void;
  readonly adapter?: number;
  readonly priority?: number;
  readonly signal?: AbortSignal;
}

export interface GeneratedToken {
  readonly id: number;
  /** Under the model's own distribution, before any option changed it. */
  readonly logprob?: number;
  readonly top?: readonly { readonly id: number; readonly logprob: number }[];
}

export type FinishReason = "stop" | "length";

export interface GenerateOutcome {
  readonly tokens: Int32Array; // a token that ended the text included
  readonly finishReason: FinishReason;
  readonly random: RandomState; // to go on with
  readonly usage: Usage;
}

export interface Usage {
  readonly promptTokens: number;
  readonly cachedTokens: number; // of the prompt, found in the cache
  readonly completionTokens: number;
  /** Tokens that were guessed and sent to the model, where that was asked for. */
  readonly draftTokens?: number;
  /** Those of them that were right: each a token of the answer that took no step of its own. */
  readonly acceptedTokens?: number;
}

/** A request on its way. */
export interface Ticket {
  readonly done: Promise<GenerateOutcome>;
  /** Ends it at once; `done` rejects with the reason. */
  cancel(reason?: unknown): void;
}
