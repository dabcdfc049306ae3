/**
 * Reads one call a character at a time: what it knows depends on what came, never on how that was cut. From where it is certain
 * on it is a call, whatever follows. `Expecting` is what may come next.
 */
export abstract class Scanner<Expecting extends string = string> {
  name: string | undefined;
  protected expecting: Expecting | "end" | "broken";

  constructor(first: Expecting) {
    this.expecting = first;
  }

  /** True once the call is closed. */
  get ended(): boolean {
    return this.expecting === "end";
  }

  /** True where the text turned out to be something else than a call. */
  get broken(): boolean {
    return this.expecting === "broken";
  }

  /** True from where on it is a call for certain. */
  abstract get certain(): boolean;

  /** Reads on, and says how much of the text belonged to the call. */
  feed(text: string): number {
    let at = 0;
    while (at < text.length && !this.ended && !this.broken) this.next(text[at++]!);
    return at;
  }

  /** What has come of the arguments, as JSON, since it was last asked. */
  abstract takeArguments(): string;

  protected abstract next(char: string): void;
}
