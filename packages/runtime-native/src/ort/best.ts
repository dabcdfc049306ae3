import { type AddonSearch, addon } from "../addon.ts";

/** The best of rows of logits. */
export interface BestOf {
  readonly ids: Int32Array; // (rows, k); −1 where fewer are allowed
  readonly logits: Float32Array; // (rows, k); −∞ there
  /** Of all that is allowed, so that a logit less this is a log-probability; where it was asked for. */
  readonly logSumExp?: Float32Array; // (rows)
}

export interface BestOptions {
  /** Only these ids: a bit for each, the lowest first. */
  readonly allow?: Uint32Array | undefined;
  readonly sums?: boolean;
  /** Leaves the addon alone; for tests. */
  readonly plain?: boolean;
}

/** What is to be found of rows that may not be computed yet, with the room that it is written to. */
export interface BestSearch extends BestOf {
  readonly rows: Float32Array; // (rows, vocab)
  readonly vocab: number;
  readonly k: number;
  readonly allow: Uint32Array | undefined;
}

/** A search for the `k` best ids of each row of logits, to be done later, as when a run has computed them. */
export function bestSearch(rows: Float32Array, vocab: number, k: number, options: BestOptions = {}): BestSearch {
  const { allow, sums = false } = options;
  const count = rows.length / vocab;
  const room = { ids: new Int32Array(count * k), logits: new Float32Array(count * k) };
  const search = { ...room, rows, vocab, k, allow };
  return sums ? { ...search, logSumExp: new Float32Array(count) } : search;
}

/** Does a search. The addon does it where it is built: a vocabulary's numbers then are never looked at in JavaScript. */
export function findBest(search: BestSearch, { plain = false }: BestOptions = {}): void {
  const native = plain ? undefined : addon();
  if (native) {
    native.ort.best(searchFields(search));
    return;
  }
  const { rows, vocab, k, allow, ids, logits, logSumExp } = search;
  ids.fill(-1);
  logits.fill(Number.NEGATIVE_INFINITY);
  for (let row = 0; (row + 1) * vocab <= rows.length; row++) {
    const part = rows.subarray(row * vocab, (row + 1) * vocab);
    best(part, k, allow).forEach((id, i) => {
      ids[row * k + i] = id;
      logits[row * k + i] = part[id]!;
    });
    if (logSumExp) logSumExp[row] = sumOf(part, allow);
  }
}

/** A search as the addon wants it. */
export function searchFields({ rows, vocab, k, allow, ids, logits, logSumExp }: BestSearch): AddonSearch {
  return [rows, vocab, k, allow, ids, logits, logSumExp];
}

/**
 * The `k` best ids of each row of logits, best first; of equals the lower.
 *
 * @example
 * bestOf(Float32Array.of(1, 5, 3), 3, 2).ids; // 1, 2
 */
export function bestOf(logits: Float32Array, vocab: number, k: number, options: BestOptions = {}): BestOf {
  const search = bestSearch(logits, vocab, k, options);
  findBest(search, options);
  return search;
}

/** The ids of the `k` largest of `row`, best first; of equals the lower id. A heap whose root is the worst of them. */
function best(row: Float32Array, k: number, allow: Uint32Array | undefined): number[] {
  const heap: number[] = [];
  const worse = (a: number, b: number) => row[a]! < row[b]! || (row[a] === row[b] && a > b);
  const sink = (from: number) => {
    for (let at = from; ; ) {
      let child = 2 * at + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && worse(heap[child + 1]!, heap[child]!)) child++;
      if (!worse(heap[child]!, heap[at]!)) return;
      [heap[at], heap[child]] = [heap[child]!, heap[at]!];
      at = child;
    }
  };
  let least = Number.NEGATIVE_INFINITY; // of what is kept, once there are k
  for (let id = 0; id < row.length; id++) {
    if (!(row[id]! >= least) || (allow && !isAllowed(allow, id))) continue;
    if (heap.length < k) {
      heap.push(id);
      if (heap.length < k) continue;
      for (let at = k >> 1; at-- > 0; ) sink(at);
    } else if (worse(heap[0]!, id)) {
      heap[0] = id;
      sink(0);
    }
    least = row[heap[0]!]!;
  }
  return heap.sort((a, b) => (worse(b, a) ? -1 : 1));
}

/** The logarithm of the sum of the exponentials of what is allowed. */
function sumOf(row: Float32Array, allow: Uint32Array | undefined): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < row.length; id++) if (row[id]! > most && (!allow || isAllowed(allow, id))) most = row[id]!;
  let sum = 0;
  for (let id = 0; id < row.length; id++) if (!allow || isAllowed(allow, id)) sum += Math.exp(row[id]! - most);
  return most + Math.log(sum);
}

function isAllowed(allow: Uint32Array, id: number): boolean {
  return ((allow[id >> 5]! >>> (id & 31)) & 1) === 1;
}
