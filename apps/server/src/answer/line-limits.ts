export interface LineLimitOptions {
  /** Nothing belongs to the answer. */
  readonly empty?: boolean;
  /** A line that has something on it and is indented less ends the answer before it. */
  readonly indent?: number;
  /** After so long the answer ends with the line that it is in. */
  readonly ms?: number;
}

/** What ends an editor's completion besides the model: a line that belongs to something else, or time. */
export class LineLimits {
  readonly #indent: number;
  readonly #ms: number;
  readonly #now: () => number;
  #began: number | undefined;
  #text = "";
  #held = ""; // line ends of which it isn't known yet whether they belong to the answer
  #over: boolean;

  constructor(
    { empty = false, indent = 0, ms = Number.POSITIVE_INFINITY }: LineLimitOptions,
    now = () => performance.now(),
  ) {
    this.#over = empty;
    this.#indent = indent;
    this.#ms = ms;
    this.#now = now;
  }

  /** True once nothing more belongs to the answer. */
  get over(): boolean {
    return this.#over;
  }

  /** What of the answer was given. */
  get text(): string {
    return this.#text;
  }

  /** Takes a piece; gives what of it, and of those before, is known to belong to the answer. */
  push(piece: string): string {
    if (this.#over) return "";
    this.#began ??= this.#now();
    const all = this.#held + piece;
    const end = Math.min(this.#outdented(all), this.#late(all));
    this.#over = end !== Number.POSITIVE_INFINITY;
    return this.#take(all, this.#over ? end : this.#known(all));
  }

  /** What was held back: nothing came after it. */
  end(): string {
    return this.#over ? "" : this.#take(this.#held, this.#held.length);
  }

  #take(all: string, length: number): string {
    const taken = all.slice(0, length);
    this.#held = all.slice(length);
    this.#text += taken;
    return taken;
  }

  /** How much can be said already: not a line's end, while what follows it may be indented too little. */
  #known(all: string): number {
    return this.#indent === 0 ? all.length : all.length - /(?:\n[ \t\r\n]*)?$/.exec(all)![0].length;
  }

  /** Where the first line ends that is followed by one that is indented too little; lines of nothing are passed over. */
  #outdented(all: string): number {
    if (this.#indent === 0) return Number.POSITIVE_INFINITY;
    for (const { 0: between, 1: space, index } of all.matchAll(/\n(?:[ \t]*\r?\n)*([ \t]*)/g)) {
      const next = all[index + between.length];
      if (next !== undefined && next !== "\r" && space.length < this.#indent) return index;
    }
    return Number.POSITIVE_INFINITY;
  }

  #late(all: string): number {
    if (this.#now() - this.#began! < this.#ms) return Number.POSITIVE_INFINITY;
    const line = all.indexOf("\n");
    return line < 0 ? Number.POSITIVE_INFINITY : line + 1;
  }
}
