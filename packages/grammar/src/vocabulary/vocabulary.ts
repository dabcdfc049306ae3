import { isNoText, markerBytes } from "./markers.ts";
import { sortByBytes } from "./sort-by-bytes.ts";

/** Depths are kept in 16 bits. */
const MAX_TOKEN_BYTES = 4096;

/**
 * The bytes of every token, as a tree of shared beginnings laid out in the order of a walk: going down is the next node,
 * leaving a subtree out is one jump.
 */
export class Vocabulary {
  /** Tokens, among them those without bytes. */
  readonly size: number;
  /** Tokens that end an answer. */
  readonly ends: readonly number[];
  /** Of each node: its byte, its depth (1 for a token's first byte), the node after its subtree, its token or −1. */
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  readonly after: Int32Array;
  readonly tokens: Int32Array;
  /** The deepest node. */
  readonly depth: number;
  /** Further tokens with the very bytes of a node's first. */
  readonly twins: ReadonlyMap<number, readonly number[]>;
  /** Names of the tokens that a grammar can ask for as markers. */
  readonly markers: ReadonlySet<string>;
  readonly #bytesOf: readonly (Uint8Array | undefined)[];

  /**
   * @param bytesOf what each token adds to the text; `undefined` for tokens that are no text (control tokens): a
   *   constraint never lets those come, but for the `ends` and where its grammar has a marker
   * @param markers names of tokens that are no text
   */
  constructor(
    bytesOf: readonly (Uint8Array | undefined)[],
    ends: readonly number[],
    markers: ReadonlyMap<number, string> = new Map(),
  ) {
    this.size = bytesOf.length;
    this.ends = ends;
    this.markers = new Set(markers.values());
    this.#bytesOf = bytesOf.map((bytes, id) => {
      const marker = markers.get(id);
      if (marker !== undefined) return markerBytes(marker);
      // No tokenizer has a token of a page; a file that says so is broken, and such a token never comes.
      return bytes && (bytes.length > MAX_TOKEN_BYTES || isNoText(bytes)) ? undefined : bytes;
    });
    const order = sortByBytes(this.#bytesOf, new Set(ends));
    let nodes = 0;
    for (const [i, id] of order.entries()) nodes += this.#bytesOf[id]!.length - shared(this.#bytesOf, order, i);
    this.bytes = new Uint8Array(nodes);
    this.depths = new Uint16Array(nodes);
    this.after = new Int32Array(nodes);
    this.tokens = new Int32Array(nodes).fill(-1);
    const twins = new Map<number, number[]>();
    const path: number[] = [];
    let node = 0;
    let deepest = 0;
    for (const [i, id] of order.entries()) {
      const bytes = this.#bytesOf[id]!;
      const from = shared(this.#bytesOf, order, i);
      while (path.length > from) this.after[path.pop()!] = node;
      for (let at = from; at < bytes.length; at++, node++) {
        this.bytes[node] = bytes[at];
        this.depths[node] = at + 1;
        path.push(node);
      }
      deepest = Math.max(deepest, bytes.length);
      const last = path[path.length - 1];
      if (this.tokens[last] < 0) this.tokens[last] = id;
      else {
        const known = twins.get(last);
        if (known) known.push(id);
        else twins.set(last, [id]);
      }
    }
    while (path.length > 0) this.after[path.pop()!] = node;
    this.twins = twins;
    this.depth = deepest;
  }

  bytesOf(token: number): Uint8Array | undefined {
    return this.#bytesOf[token];
  }
}

/** How many leading bytes the i-th token in order has in common with the one before it. */
function shared(bytesOf: readonly (Uint8Array | undefined)[], order: Int32Array, i: number): number {
  if (i === 0) return 0;
  const [a, b] = [bytesOf[order[i - 1]]!, bytesOf[order[i]]!];
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}
