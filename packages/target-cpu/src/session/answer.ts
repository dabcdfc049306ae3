import type { RowResult, Want } from "@llm/target";

/** What a row wanted, from the logits of its last tokens (last, vocab). */
export function answer(want: Want, logits: Float32Array, vocab: number): RowResult {
  const rows = Array.from({ length: want.last }, (_, i) => logits.subarray(i * vocab, (i + 1) * vocab));
  switch (want.kind) {
    case "logits":
      return { logits };
    case "token":
      return { tokens: Int32Array.from(rows, (row) => best(row, 1, want.allow)[0]!) };
    case "top":
      return { top: top(rows, want.k, want.allow) };
    case "hidden":
      return {}; // not among this session's wants: refused before
  }
}

function top(rows: readonly Float32Array[], k: number, allow: Uint32Array | undefined) {
  const ids = new Int32Array(rows.length * k).fill(-1);
  const logits = new Float32Array(rows.length * k).fill(Number.NEGATIVE_INFINITY);
  rows.forEach((row, i) => {
    best(row, k, allow).forEach((id, j) => {
      ids[i * k + j] = id;
      logits[i * k + j] = row[id]!;
    });
  });
  return { ids, logits, logSumExp: Float32Array.from(rows, (row) => logSumExp(row, allow)) };
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
    if (row[id]! < least || (allow && !isAllowed(allow, id))) continue;
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

/** Of what is allowed, so that the answer's logits are log-probabilities less this. */
function logSumExp(row: Float32Array, allow: Uint32Array | undefined): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < row.length; id++) if (row[id]! > most && (!allow || isAllowed(allow, id))) most = row[id]!;
  let sum = 0;
  for (let id = 0; id < row.length; id++) if (!allow || isAllowed(allow, id)) sum += Math.exp(row[id]! - most);
  return most + Math.log(sum);
}

function isAllowed(allow: Uint32Array, id: number): boolean {
  return ((allow[id >> 5]! >>> (id & 31)) & 1) === 1;
}
