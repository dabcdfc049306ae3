import { drawToken } from "../draw-token.ts";
import type { DeviceSampling, Limits, RowResult, Want } from "../session.ts";
import { hiddenOf, logitsOf } from "./hash.ts";

/** What is wanted of a row, from the states after its last tokens. */
export function answer(states: Int32Array, want: Want, { vocab, width }: Limits): RowResult {
  const wanted = states.subarray(states.length - want.last);
  if (want.kind === "hidden") {
    const hidden = new Float32Array(want.last * width);
    wanted.forEach((state, i) => void hiddenOf(state, width, hidden.subarray(i * width, (i + 1) * width)));
    return { hidden };
  }
  const logits = new Float32Array(want.last * vocab);
  const rows = Array.from(wanted, (state, i) => logitsOf(state, vocab, logits.subarray(i * vocab, (i + 1) * vocab)));
  if (want.kind === "logits") return { logits };
  if (want.allow) for (const row of rows) mask(row, want.allow);
  if (want.kind === "top") return { top: best(rows, want.k) };
  return { tokens: Int32Array.from(rows, (row, i) => pick(row, want.sampling, i)) };
}

function mask(logits: Float32Array, allow: Uint32Array): void {
  for (let v = 0; v < logits.length; v++) if (!((allow[v >>> 5]! >>> (v & 31)) & 1)) logits[v] = -Infinity;
}

function best(rows: readonly Float32Array[], k: number): NonNullable<RowResult["top"]> {
  const ids = new Int32Array(rows.length * k).fill(-1);
  const logits = new Float32Array(rows.length * k).fill(-Infinity);
  const logSumExp = new Float32Array(rows.length);
  rows.forEach((row, i) => {
    const order = descending(row).slice(0, k);
    ids.set(order, i * k);
    logits.set(
      order.map((v) => row[v]!),
      i * k,
    );
    const most = order.length > 0 ? row[order[0]!]! : 0;
    logSumExp[i] = most + Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0));
  });
  return { ids, logits, logSumExp };
}

/** The best of what may be said, -1 where nothing may. */
function argmax(row: Float32Array): number {
  return descending(row)[0] ?? -1;
}

function descending(row: Float32Array): number[] {
  const possible = Array.from(row.keys()).filter((v) => row[v]! > -Infinity);
  return possible.sort((a, b) => row[b]! - row[a]! || a - b);
}

function pick(row: Float32Array, sampling: DeviceSampling, at: number): number {
  if (sampling.method === "greedy") return argmax(row);
  const { temperature = 1, random } = sampling;
  const first = argmax(row);
  if (first < 0) return first;
  const most = row[first]!;
  const weights = row.map((x) => Math.exp((x - most) / temperature));
  return drawToken(weights, sampling, random?.[at] ?? 0);
}
