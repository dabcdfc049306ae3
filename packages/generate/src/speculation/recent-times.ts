/** Times kept; the middle one counts, so that one that was disturbed doesn't. */
const KEPT = 16;

/** How long something took lately. */
export class RecentTimes {
  readonly #ms: number[] = [];

  push(ms: number): void {
    this.#ms.push(ms);
    if (this.#ms.length > KEPT) this.#ms.shift();
  }

  get count(): number {
    return this.#ms.length;
  }

  /** The middle one; there must be one. */
  get middle(): number {
    return this.#ms.toSorted((a, b) => a - b)[this.#ms.length >> 1]!;
  }
}
