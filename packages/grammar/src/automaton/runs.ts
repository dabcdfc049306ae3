import { BEYOND, kindsWhere, LETTERS, utf8Step, WHOLE } from "../vocabulary/kinds.ts";
import type { Automaton, State } from "./automaton.ts";

/** What may be said without being followed: so many characters of some kinds, which all lead the same way. */
export interface Run {
  readonly kinds: number;
  readonly length: number;
  /** The states on that way; a token that ends in a begun character ends between two of them. */
  readonly through: readonly State[];
}

/** A step that characters of several kinds share. */
interface Step {
  readonly kinds: number;
  readonly to: State | null;
}

/** Counted characters followed: few tokens have more, and each is a state to look into. */
const MAX_COUNTED = 24;

export const NO_RUN: Run = { kinds: 0, length: 0, through: [] };
const NONE: Step = { kinds: 0, to: null };

/** Finds where a grammar doesn't tell characters apart, as inside texts: most of a vocabulary is known there at once. */
export class Runs {
  readonly #automaton: Automaton;
  readonly #steps = new WeakMap<State, Step>();

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
  }

  /** The run from a state on; `longest` where it has no end. */
  from(state: State, longest: number): Run {
    const { kinds, to } = this.#step(state);
    let length = 0;
    const through = [state];
    for (let [at, next] = [state, to]; next !== null && length < Math.min(longest, MAX_COUNTED); ) {
      length = next === at ? longest : length + 1;
      through.push(next);
      at = next;
      const step = this.#step(at);
      next = (kinds & ~step.kinds) === 0 ? step.to : null;
    }
    return length === 0 ? NO_RUN : { kinds, length, through };
  }

  #step(state: State): Step {
    let step = this.#steps.get(state);
    if (!step) {
      step = this.#find(state);
      this.#steps.set(state, step);
    }
    return step;
  }

  #find(state: State): Step {
    const automaton = this.#automaton;
    const to = automaton.step(state, LETTERS.charCodeAt(0));
    if (to === null) return NONE;
    const kinds = kindsWhere((byte) => automaton.step(state, byte) === to);
    return { kinds: this.#allBeyond(state, to) ? kinds | BEYOND : kinds, to };
  }

  /** True where any character beyond ASCII leads there, too. */
  #allBeyond(from: State, to: State): boolean {
    /** The one state in which each place within a character finds the automaton. */
    const met = new Map([[WHOLE, from]]);
    const { classOf } = this.#automaton;
    for (const [place, at] of met) {
      let before: unknown; // what the last byte led to, by UTF-8
      for (let byte = Math.max(0x80, place.lo); byte <= place.hi; byte++) {
        const next = utf8Step(place, byte);
        const alike = next === before && classOf[byte] === classOf[byte - 1];
        before = next;
        if (next === undefined || alike) continue;
        const reached = this.#automaton.step(at, byte);
        if (reached === null) return false;
        const known = next === WHOLE ? to : met.get(next);
        if (known === undefined) met.set(next, reached);
        else if (known !== reached) return false;
      }
    }
    return true;
  }
}
