import { addon } from "../addon.ts";

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

/**
 * The `k` best ids of each row of logits, best first; of equals the lower. The addon finds them where it is built: a
 * vocabulary's numbers then are never looked at in JavaScript.
 *
 * @example
 * bestOf(Float32Array.of(1, 5, 3), 3, 2).ids; // 1, 2
 */
export function bestOf(logits: Float32Array, vocab: number, k: number, options: BestOptions = {}): BestOf {
  const { allow, sums = false, plain = false } = options;
  const rows = logits.length / vocab;
  const ids = new Int32Array(rows * k);
  const values = new Float32Array(rows * k);
  const logSumExp = sums ? new Float32Array(rows) : undefined;
  const native = plain ? undefined : addon();
  if (native) native.ort.best(logits, vocab, k, allow, ids, values, logSumExp);
  else
    for (let row = 0; row < rows; row++) {
      const part = logits.subarray(row * vocab, (row + 1) * vocab);
      ids.fill(-1, row * k, (row + 1) * k);
      values.fill(Number.NEGATIVE_INFINITY, row * k, (row + 1) * k);
      best(part, k, allow).forEach((id, i) => {
        ids[row * k + i] = id;
        values[row * k + i] = part[id]!;
      });
      if (logSumExp) logSumExp[row] = sumOf(part, allow);
    }
  return logSumExp ? { ids, logits: values, logSumExp } : { ids, logits: values };
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
