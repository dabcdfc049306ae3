/** Guesses that a rate remembers, about. */
const MEMORY = 32;

/** How often guesses of one kind were right lately. */
export class SuccessRate {
  #right: number;
  #all: number;

  /** @param expected what it is taken to be before anything is known, worth a few guesses */
  constructor(expected = 0.6) {
    this.#right = 2 * expected;
    this.#all = 2;
  }

  get value(): number {
    return this.#right / this.#all;
  }

  push(right: boolean): void {
    const kept = 1 - 1 / MEMORY;
    this.#right = this.#right * kept + (right ? 1 : 0);
    this.#all = this.#all * kept + 1;
  }
}
