/** A growing list of 32-bit integers; ids and spans are collected in it without boxing. */
export class IntList {
  values: Int32Array;
  length = 0;

  constructor(capacity = 64) {
    this.values = new Int32Array(Math.max(capacity, 4));
  }

  push(value: number): void {
    if (this.length === this.values.length) this.#grow(this.length + 1);
    this.values[this.length++] = value;
  }

  /** Appends part of another array. */
  pushFrom(source: Int32Array, start: number, count: number): void {
    const { length } = this;
    if (length + count > this.values.length) this.#grow(length + count);
    const { values } = this;
    // Most runs are one or two ids long, where a call to `set` costs more than the copy.
    for (let i = 0; i < count; i++) values[length + i] = source[start + i];
    this.length = length + count;
  }

  toArray(): Int32Array {
    return this.values.slice(0, this.length);
  }

  #grow(needed: number): void {
    const values = new Int32Array(Math.max(needed, this.values.length * 2));
    values.set(this.values);
    this.values = values;
  }
}
