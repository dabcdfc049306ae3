/** Byte strings with a value each, walked byte by byte: an open hash table of edges. */
export class ByteTrie {
  #edges = new Int32Array(2 << 10); // pairs: node * 256 + byte + 1 (0 = empty), child
  #mask = (1 << 10) - 1;
  #count = 0;
  #values: Int32Array = new Int32Array(1 << 10).fill(-1);

  add(bytes: Uint8Array, value: number): void {
    let node = 0;
    for (const byte of bytes) {
      const child = this.step(node, byte);
      node = child >= 0 ? child : this.#extend(node, byte);
    }
    this.#values[node] = value;
  }

  /** The node that a byte leads to from a node (0 is the root), or −1. */
  step(node: number, byte: number): number {
    const key = node * 256 + byte + 1;
    let index = mix(key) & this.#mask;
    for (;;) {
      const found = this.#edges[index * 2];
      if (found === key) return this.#edges[index * 2 + 1];
      if (found === 0) return -1;
      index = (index + 1) & this.#mask;
    }
  }

  /** The value of the string that ends at a node, or −1. */
  valueAt(node: number): number {
    return this.#values[node];
  }

  #extend(node: number, byte: number): number {
    if (this.#count * 2 > this.#mask) this.#grow();
    const child = ++this.#count;
    if (child === this.#values.length) {
      const values = new Int32Array(child * 2).fill(-1);
      values.set(this.#values);
      this.#values = values;
    }
    this.#put(node * 256 + byte + 1, child);
    return child;
  }

  #put(key: number, child: number): void {
    let index = mix(key) & this.#mask;
    while (this.#edges[index * 2] !== 0) index = (index + 1) & this.#mask;
    this.#edges[index * 2] = key;
    this.#edges[index * 2 + 1] = child;
  }

  #grow(): void {
    const old = this.#edges;
    this.#edges = new Int32Array(old.length * 2);
    this.#mask = this.#edges.length / 2 - 1;
    for (let at = 0; at < old.length; at += 2) if (old[at] !== 0) this.#put(old[at], old[at + 1]);
  }
}

function mix(key: number): number {
  const hash = Math.imul(key, 0x9e3779b1);
  return hash ^ (hash >>> 15);
}
