import type { Vocabulary } from "../vocabulary/vocabulary.ts";
import type { Automaton, State } from "./automaton.ts";

/** Nodes of the vocabulary looked at for one step; behind a free text's state there are as many as the vocabulary has. */
const MAX_LOOKED_AT = 512;

/**
 * How many tokens surely bring an answer to its end: the shortest way in bytes, taken in the longest tokens that lie on it. The
 * very fewest would be a search through all texts; this is no more than the bytes, and each step of it takes one off, so that
 * whoever has had room for an answer once has it to the end.
 */
export class TokenRoom {
  readonly #automaton: Automaton;
  readonly #vocabulary: Vocabulary;
  readonly #ends: ReadonlySet<number>;
  readonly #known = new WeakMap<State, number>();

  constructor(automaton: Automaton, vocabulary: Vocabulary, ends: readonly number[]) {
    this.#automaton = automaton;
    this.#vocabulary = vocabulary;
    this.#ends = new Set(ends);
  }

  /** Tokens that suffice after a state. */
  needed(state: State): number {
    const way: State[] = [];
    let at = state;
    let rest = this.#at(at);
    while (rest === undefined) {
      const next = this.#step(at);
      // Nothing lies on the shortest way, though something may beside it: then the bytes must do.
      if (!next) rest = at.distance;
      else {
        way.push(at);
        at = next;
        rest = this.#at(at);
      }
    }
    if (at.distance > 0) this.#known.set(at, rest);
    for (let i = way.length - 1; i >= 0; i--) this.#known.set(way[i]!, ++rest);
    return rest;
  }

  /** True where `needed` is at most `room`; seldom has to ask. */
  fits(state: State, room: number): boolean {
    const { distance } = state;
    return distance <= room || (distance <= room * this.#vocabulary.depth && this.needed(state) <= room);
  }

  #at(state: State): number | undefined {
    return state.distance === 0 ? 0 : this.#known.get(state);
  }

  /** Where the longest token leads every byte of which brings the end nearer. */
  #step(from: State): State | undefined {
    const { bytes, depths, after, tokens } = this.#vocabulary;
    const states: State[] = [from];
    let longest: State | undefined;
    let depth = 0;
    for (let node = 0, left = MAX_LOOKED_AT; node < bytes.length && (left > 0 || !longest); left--) {
      const before = states[depths[node] - 1];
      const to = this.#automaton.step(before, bytes[node]);
      if (to === null || to.distance >= before.distance) {
        node = after[node];
        continue;
      }
      states[depths[node]] = to;
      if (tokens[node] >= 0 && depths[node] > depth && !this.#ends.has(tokens[node])) {
        longest = to;
        depth = depths[node];
        if (depth === this.#vocabulary.depth) break;
      }
      node++;
    }
    return longest;
  }
}
