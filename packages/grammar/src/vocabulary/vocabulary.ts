import { charactersIn, kindsOf } from "./kinds.ts";
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
  /** Of each node: the kinds of bytes of all tokens below it, those above it included, and the most characters of one. */
  readonly kinds: Uint16Array;
  readonly lengths: Uint16Array;
  /** The most characters of a token. */
  readonly longest: number;
  /** The deepest node. */
  readonly depth: number;
  /** Further tokens with the very bytes of a node's first. */
  readonly twins: ReadonlyMap<number, readonly number[]>;
  /** Names of the tokens that a grammar can ask for as markers. */
  readonly markers: ReadonlySet<string>;
  readonly #bytesOf: readonly (Uint8Array | undefined)[];
  /** Of each token: the kinds of its bytes, and how many characters it has, a begun one counted. */
  readonly #kinds: Uint16Array;
  readonly #lengths: Uint16Array;

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
    this.kinds = new Uint16Array(nodes);
    this.lengths = new Uint16Array(nodes);
    this.#kinds = new Uint16Array(this.size);
    this.#lengths = new Uint16Array(this.size);
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
      const kinds = kindsOf(bytes);
      const length = charactersIn(bytes);
      this.#kinds[id] = kinds;
      this.#lengths[id] = length;
      for (const above of path) {
        this.kinds[above] |= kinds;
        this.lengths[above] = Math.max(this.lengths[above], length);
      }
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
    this.longest = this.#lengths.reduce((most, length) => Math.max(most, length), 0);
    this.depth = deepest;
  }

  /** A mask of no token. */
  noTokens(): Uint32Array {
    return new Uint32Array(Math.ceil(this.size / 32));
  }

  /** A mask of the tokens that are at most so many characters of these kinds alone. */
  madeOf(kinds: number, length: number): Uint32Array {
    const mask = this.noTokens();
    const [others, lengths] = [~kinds, this.#lengths];
    for (let id = 0; id < lengths.length; id++) {
      // A token that isn't in the tree has no length.
      if (lengths[id] > 0 && lengths[id] <= length && (this.#kinds[id] & others) === 0)
        mask[id >>> 5] |= 1 << (id & 31);
    }
    return mask;
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
