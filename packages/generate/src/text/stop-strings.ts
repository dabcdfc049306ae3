/**
 * Looks for stop strings in text that comes in pieces, and holds back what may be the beginning of one. The one that is complete
 * first counts, and of two that end together the longer: so the answer doesn't depend on how the text is cut.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";
  #stopped = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== "");
  }

  /** Whether one was found; text from it on is never given out. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The text that is certain to come before any stop string. */
  push(piece: string): string {
    if (this.#stopped) return "";
    const text = this.#held + piece;
    const found = this.#first(text);
    if (found !== undefined) {
      this.#stopped = true;
      this.#held = "";
      return text.slice(0, found);
    }
    const safe = text.length - this.#unfinished(text);
    this.#held = text.slice(safe);
    return text.slice(0, safe);
  }

  /** What was held back, when no more comes. */
  end(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  /** Where the stop string begins that ends first. */
  #first(text: string): number | undefined {
    let start: number | undefined;
    let end = Number.POSITIVE_INFINITY;
    for (const stop of this.#stops) {
      const at = text.indexOf(stop);
      if (at < 0 || at + stop.length > end || (at + stop.length === end && at >= start!)) continue;
      start = at;
      end = at + stop.length;
    }
    return start;
  }

  /** Length of the longest end of `text` that a stop string begins with. */
  #unfinished(text: string): number {
    let longest = 0;
    for (const stop of this.#stops)
      for (let n = Math.min(stop.length - 1, text.length); n > longest; n--)
        if (text.endsWith(stop.slice(0, n))) longest = n;
    return longest;
  }
}
