import type { ForkMove, Row } from "../../session.ts";

/** How one kind of device keeps its cache, simulated. Rows and moves were checked against the limits before. */
export interface CacheForm {
  /** The state after each token of each row. */
  run(rows: readonly Row[]): readonly Int32Array[];
  trim(slot: number, length: number): void;
  fork?(moves: readonly ForkMove[]): void;
  /** What the first `length` tokens stored, (2, length). */
  save?(slot: number, length: number): Int32Array;
  restore?(slot: number, saved: Int32Array): void;
  close(): void;
}
