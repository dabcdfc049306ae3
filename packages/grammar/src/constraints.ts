import { Constraint } from "./constraint.ts";
import { type GrammarSource, parseGrammar } from "./source.ts";
import type { Vocabulary } from "./vocabulary/vocabulary.ts";

/** Compiled constraints kept; each holds its states and masks. */
const MAX_KEPT = 64;

/** The constraints of one vocabulary, compiled once each and kept by what they say. */
export class Constraints {
  readonly #vocabulary: Vocabulary;
  readonly #kept = new Map<string, Constraint>();

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  get(source: GrammarSource): Constraint {
    const key = JSON.stringify(source);
    let constraint = this.#kept.get(key);
    if (constraint) this.#kept.delete(key);
    else {
      constraint = new Constraint(parseGrammar(source), this.#vocabulary);
      if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    }
    this.#kept.set(key, constraint);
    return constraint;
  }
}
