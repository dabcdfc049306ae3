/** What a device of fixed shapes was compiled for. */
export interface FixedShapes {
  /** Rows of the decode call, and slots of the cache. */
  readonly slots: number;
  /** Tokens of a prefill call. */
  readonly prefill: number;
  /** Tokens a row has in a decode call: 1, or k + 1 when drafts are verified. */
  readonly decode: number;
  /**
   * With a batch index a prefill call is [1, prefill] for the slot it names; without one it is [slots, prefill], and rows
   * that take no part are absent in all their positions.
   */
  readonly batchIndex: boolean;
}

/** A token that doesn't exist. */
export const ABSENT = -1;

/** One call of a compiled shape. Arrays are row-major, (lanes, width). */
export interface FixedCall {
  readonly kind: "prefill" | "decode";
  readonly lanes: number;
  readonly width: number;
  readonly ids: Int32Array; // 0 where absent
  readonly positions: Int32Array; // ABSENT where absent
  /** The slot of each lane, where the shape has a batch index; else lane and slot are the same. */
  readonly slots: Int32Array;
  /** Where each lane's tokens come from, for results: -1 for idle lanes. */
  readonly rows: Int32Array;
  /** Which results of the call are wanted, in the order of the row's outputs. */
  readonly outputs: readonly FixedOutput[];
}

/** The result at (lane, column) is the row's `index`-th. */
export interface FixedOutput {
  readonly row: number;
  readonly index: number;
  readonly lane: number;
  readonly column: number;
}
