/** One replacement: the units from `start` to `end` become `text`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Puts something before a text; it counts as part of the first character, as in the Rust library's offsets. */
export function prefixEdit(text: string, prefix: string): Edit {
  const first = text === "" ? "" : String.fromCodePoint(text.codePointAt(0)!);
  return { start: 0, end: first.length, text: prefix + first };
}

/**
 * A text that remembers where in the user's text each of its units comes from, through any number of edits. Without the
 * arrays, unit i comes from unit `base + i`; ids alone never need them.
 */
export class Aligned {
  readonly text: string;
  readonly base: number;
  readonly #starts: Int32Array | undefined;
  readonly #ends: Int32Array | undefined;

  private constructor(text: string, base: number, starts?: Int32Array, ends?: Int32Array) {
    this.text = text;
    this.base = base;
    this.#starts = starts;
    this.#ends = ends;
  }

  static of(text: string, base = 0): Aligned {
    return new Aligned(text, base);
  }

  /** Where the unit comes from. */
  startOf(unit: number): number {
    if (this.#starts === undefined) return this.base + unit;
    return this.#starts.length === 0 ? this.base : this.#starts[Math.min(unit, this.#starts.length - 1)];
  }

  /** The end of where the unit comes from. */
  endOf(unit: number): number {
    return this.#ends === undefined ? this.base + unit + 1 : this.#ends[unit];
  }

  /** Whether the text begins where the user's text begins. */
  get first(): boolean {
    return this.text === "" ? this.base === 0 : this.startOf(0) === 0;
  }

  slice(start: number, end: number): Aligned {
    if (start === 0 && end === this.text.length) return this;
    const base = start < this.text.length ? this.startOf(start) : this.base;
    return new Aligned(
      this.text.slice(start, end),
      base,
      this.#starts?.subarray(start, end),
      this.#ends?.subarray(start, end),
    );
  }

  /** The text with edits applied, which are in order and don't overlap. Inserted text has an empty place in the original. */
  edit(edits: readonly Edit[]): Aligned {
    if (edits.length === 0) return this;
    const length = edits.reduce((sum, edit) => sum + edit.text.length - (edit.end - edit.start), this.text.length);
    const starts = new Int32Array(length);
    const ends = new Int32Array(length);
    let text = "";
    let from = 0;
    const copyTo = (to: number) => {
      for (let i = from; i < to; i++) {
        starts[text.length + i - from] = this.startOf(i);
        ends[text.length + i - from] = this.endOf(i);
      }
      text += this.text.slice(from, to);
    };
    for (const edit of edits) {
      copyTo(edit.start);
      const start = this.#startBefore(edit.start);
      const end = edit.end > edit.start ? this.endOf(edit.end - 1) : start;
      starts.fill(start, text.length, text.length + edit.text.length);
      ends.fill(end, text.length, text.length + edit.text.length);
      text += edit.text;
      from = edit.end;
    }
    copyTo(this.text.length);
    return new Aligned(text, this.base, starts, ends);
  }

  #startBefore(unit: number): number {
    if (unit < this.text.length) return this.startOf(unit);
    return unit === 0 ? this.base : this.endOf(unit - 1);
  }
}
