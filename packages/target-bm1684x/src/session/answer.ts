import type { RowResult, Want } from "@llm/target";
import { toFloats } from "./encode.ts";
import { type Layout, portIs } from "./layout.ts";

/** What was read of the device for one token. */
export interface Raw {
  readonly what: "logits" | "token";
  readonly bytes: Uint8Array;
}

/** A row's result, of what the device gave for each of its last tokens. */
export function answer(want: Want, raw: readonly Raw[], { head, vocab }: Layout): RowResult {
  const logits = (): readonly Float32Array[] => {
    const { dtype } = head.outputs.find(portIs("logits"))!;
    return raw.map(({ bytes }) => toFloats(bytes, dtype).subarray(0, vocab));
  };
  switch (want.kind) {
    case "logits":
      return { logits: joined(logits()) };
    case "top":
      return { top: best(logits(), want.k, want.allow) };
    case "token":
      if (raw[0]!.what === "logits") return { tokens: best(logits(), 1, want.allow).ids };
      return {
        tokens: Int32Array.from(raw, ({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true)),
      };
    case "hidden":
      throw new TypeError("hidden states are not offered");
  }
}

function joined(rows: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}

/** The best k of each row among those that are allowed, and the logarithm of the sum over all of those. */
function best(rows: readonly Float32Array[], k: number, allow: Uint32Array | undefined): NonNullable<RowResult["top"]> {
  const ids = new Int32Array(rows.length * k);
  const values = new Float32Array(rows.length * k);
  const sums = new Float32Array(rows.length);
  rows.forEach((row, r) => {
    const order: number[] = [];
    let highest = Number.NEGATIVE_INFINITY;
    for (let id = 0; id < row.length; id++) {
      if (allow && !((allow[id >>> 5]! >>> (id & 31)) & 1)) continue;
      highest = Math.max(highest, row[id]!);
      if (order.length === k && row[id]! <= row[order[k - 1]!]!) continue;
      insert(order, id, row);
      if (order.length > k) order.pop();
    }
    let sum = 0;
    for (let id = 0; id < row.length; id++)
      if (!allow || (allow[id >>> 5]! >>> (id & 31)) & 1) sum += Math.exp(row[id]! - highest);
    sums[r] = highest + Math.log(sum);
    ids.set(order, r * k);
    values.fill(Number.NEGATIVE_INFINITY, r * k, (r + 1) * k);
    order.forEach((id, i) => {
      values[r * k + i] = row[id]!;
    });
  });
  return { ids, logits: values, logSumExp: sums };
}

/** Into a list of the best so far, the best first; of equals the first. */
function insert(order: number[], id: number, row: Float32Array): void {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (row[order[middle]!]! >= row[id]!) low = middle + 1;
    else high = middle;
  }
  order.splice(low, 0, id);
}
