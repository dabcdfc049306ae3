/**
 * Looks for stop strings in text that comes in pieces, and holds back what may be the beginning of one. The one that is complete
 * first counts, and of two that end together the longer: so the answer doesn't depend on how the text is cut.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";
  #found: string | undefined;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== "");
  }

  /** Whether one was found; text from it on is never given out. */
  get stopped(): boolean {
    return this.#found !== undefined;
  }

  /** The one that was found. */
  get found(): string | undefined {
    return this.#found;
  }

  /** The text that is certain to come before any stop string. */
  push(piece: string): string {
    if (this.stopped) return "";
    const text = this.#held + piece;
    const first = this.#first(text);
    if (first) {
      this.#found = first.stop;
      this.#held = "";
      return text.slice(0, first.start);
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

  /** The stop string that ends first, and where it begins. */
  #first(text: string): { readonly stop: string; readonly start: number } | undefined {
    let first: { readonly stop: string; readonly start: number } | undefined;
    let end = Number.POSITIVE_INFINITY;
    for (const stop of this.#stops) {
      const start = text.indexOf(stop);
      if (start < 0 || start + stop.length > end || (start + stop.length === end && start >= first!.start)) continue;
      first = { stop, start };
      end = start + stop.length;
    }
    return first;
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
