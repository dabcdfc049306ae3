import type { IntList } from "../text/int-list.ts";
import type { Units } from "../text/units.ts";
import type { Vocab } from "./vocab.ts";

/** Splits one pre-token into tokens. */
export interface Model {
  readonly vocab: Vocab;
  /**
   * Appends the ids of `source` from unit `start` to `end`. With `spans`, also the unit where each token starts and ends;
   * tokens that share a character (single bytes of it) all span the whole character.
   */
  encode(source: Units, start: number, end: number, out: IntList, spans?: IntList): void;
}
