/** How fast an answer comes, counted in tokens: pieces say nothing, since what comes fast comes several tokens at a time. */
export class Speed {
  readonly #now: () => number;
  #asked = 0;
  #first: { readonly at: number; readonly tokens: number } | undefined;
  #last = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The question is sent. */
  begin(): void {
    this.#asked = this.#now();
    this.#first = undefined;
    this.#last = 0;
  }

  /** So many tokens have come. */
  count(tokens: number): void {
    this.#first ??= { at: this.#now(), tokens };
    this.#last = tokens;
  }

  /** Milliseconds to the first token, once there is one. */
  get toFirst(): number | undefined {
    return this.#first && this.#first.at - this.#asked;
  }

  /** Tokens a second since the first ones came; nothing while none came after them. */
  get rate(): number | undefined {
    if (!this.#first || this.#last === this.#first.tokens) return undefined;
    const seconds = (this.#now() - this.#first.at) / 1000;
    return (this.#last - this.#first.tokens) / Math.max(seconds, 0.001);
  }
}
