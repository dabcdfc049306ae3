/**
 * A session holds token histories in slots and answers with what the model says after them. The scheduler drives any
 * session through these calls alone and knows nothing else of the device. All of it is plain data, so that a worker, a
 * child process or a socket can carry it.
 */
export interface Session {
  readonly specificationVersion: 1;
  readonly limits: Limits;
  /** One call at a time. Result arrays may be views that live until the next call. */
  step(rows: readonly Row[]): Promise<readonly RowResult[]>;
  /** Forgets what `slot` holds from `length` on; 0 frees it. */
  trim(slot: number, length: number): Promise<void>;
  /** Copies the first `length` tokens of histories, as if all moves happened at once: swaps are legal. */
  fork?(moves: readonly ForkMove[]): Promise<void>;
  save?(slot: number): Promise<Uint8Array>;
  /** Returns how many tokens the slot holds afterwards. */
  restore?(slot: number, saved: Uint8Array): Promise<number>;
  /** Loads an adapter and returns its number for `Row.adapter`; 0 is "none". */
  adapter?(path: string): Promise<number>;
  close(): Promise<void>;
}

export interface ForkMove {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** One sequence's part of a step. */
export interface Row {
  readonly slot: number;
  /** Position of the first token; what the slot holds from there on is forgotten (an implied rewind). */
  readonly at: number;
  readonly tokens: Int32Array;
  /**
   * Length of the whole prompt while it arrives in chunks; rope scalings that depend on length need it. Absent: what the
   * slot holds after the row.
   */
  readonly reach?: number;
  readonly adapter?: number;
  /** What is asked for; nothing, in the middle of a prompt. */
  readonly want?: Want;
}

export type Want = WantKind & {
  /** For this many of the row's last tokens: 1 when decoding, k + 1 when verifying a draft, n for echo. */
  readonly last: number;
  /** Bit mask over the vocabulary (LSB first): only these tokens are allowed. For "top" and "token". */
  readonly allow?: Uint32Array;
};

export type WantKind =
  | { readonly kind: "logits" }
  | { readonly kind: "hidden" }
  | { readonly kind: "top"; readonly k: number }
  | { readonly kind: "token"; readonly sampling: DeviceSampling };

/**
 * Sampling that some devices do themselves. "sample" is, in this order: divided by `temperature`; the `topK` best, and those as
 * good as the last of them; of these the fewest that together have `topP`, of equals the first; of these those that are at least
 * `minP` times as probable as the best; of these the one at which their probabilities, added up by ascending id, pass `random`.
 */
export interface DeviceSampling {
  readonly method: "greedy" | "sample";
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  /** In [0, 1), one for each token asked for: randomness comes from outside, always. */
  readonly random?: Float32Array;
  /** Scores of tokens that the slot holds are divided by it, negative ones multiplied, before anything else. */
  readonly repetitionPenalty?: number;
  /** Taken off the scores of tokens that the slot holds from position `answerFrom` on; after the other penalty. */
  readonly presencePenalty?: number;
  readonly answerFrom?: number;
}

/** Shaped [last, …]; which fields are there follows from `want`. A token is -1 where none is allowed, or none is better than others. */
export interface RowResult {
  readonly logits?: Float32Array; // (last, vocab)
  readonly hidden?: Float32Array; // (last, width)
  readonly top?: { readonly ids: Int32Array; readonly logits: Float32Array; readonly logSumExp: Float32Array }; // (last, k), (last, k), (last)
  readonly tokens?: Int32Array; // (last)
}

/** What a session can do, as data. Exceeding a limit is refused with a `SessionError`, never undefined behaviour. */
export interface Limits {
  readonly slots: number;
  readonly context: number; // tokens a slot can hold
  readonly cacheTokens: number; // tokens all slots together can hold
  readonly vocab: number;
  readonly width: number;
  readonly chunk: number; // most tokens of a row; the scheduler chunks, the session only pads
  readonly verify: number; // how many tokens of a row cost about one step (speculation); 1: none
  readonly resume: boolean; // prefill past position 0 at full speed
  readonly rewind: number; // how far back of the furthest position `at` may reach, besides 0
  /**
   * Rows start and step together: a step has either only rows at 0 (and nothing else is held), or one row for every slot
   * that holds something, each where it left off. All share `context` columns; a shorter row is padded to the widest.
   */
  readonly lockstep: boolean;
  readonly fork: "share" | "copy" | "none";
  readonly wants: readonly WantKind["kind"][];
  readonly sampling: readonly DeviceSampling["method"][];
  /** "sample" is for a `topK` from 1 to this, because the device looks at no more of the best. Absent: for any, or none. */
  readonly sampleTopK?: number;
  /** Which penalties are heard when a token is wanted. Absent: none. */
  readonly samplePenalties?: readonly ("repetition" | "presence")[];
  /** False where `Want.allow` isn't heard when a token is wanted. */
  readonly masks?: boolean;
  /** The option that a model is made with so that masks are heard, where it was made without and could be. */
  readonly masksBy?: string;
  readonly adapters: number; // how many can be loaded
  /** Whether a row's results are the same whatever else is in the batch, its chunks or its padding. */
  readonly batchInvariant: boolean;
  /** Histories depend on `Row.reach`, so a prefix may be reused only by a prompt of equal length. Absent: they don't. */
  readonly reach?: boolean;
}
