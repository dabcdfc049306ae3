import type { RowResult, Want } from "../session.ts";
import { type ConformanceContext, must } from "./check.ts";

const DEFAULT_TOLERANCE = 1e-3;

/** What is asked for where the answers are to be compared: logits, else the best token; nothing of devices that give neither. */
export function comparableWant({
  wants,
  sampling,
}: {
  readonly wants: readonly string[];
  readonly sampling: readonly string[];
}): Want | undefined {
  if (wants.includes("logits")) return { kind: "logits", last: 1 };
  if (wants.includes("token") && sampling.includes("greedy"))
    return { kind: "token", last: 1, sampling: { method: "greedy" } };
  return undefined;
}

/** Holds what came back to the oracle's logits, of each of the last tokens that were asked for. */
export async function compareAnswer(
  context: ConformanceContext,
  history: readonly number[],
  want: Want,
  { logits, tokens }: Pick<RowResult, "logits" | "tokens">,
  vocab: number,
): Promise<void> {
  const { oracle } = context;
  if (want.kind === "logits")
    must(
      logits?.length === want.last * vocab,
      () => `${logits?.length ?? 0} logits for ${want.last} tokens of a vocabulary of ${vocab}`,
    );
  if (!oracle) return;
  for (let i = 0; i < want.last; i++) {
    const until = history.slice(0, history.length - want.last + 1 + i);
    const expected = await oracle(until);
    const after = () => `after ${until.length} tokens (${until.join(" ")})`;
    if (want.kind === "logits") compareLogits(context, logits!.subarray(i * vocab, (i + 1) * vocab), expected, after);
    if (want.kind === "token" && want.sampling.method === "greedy")
      mustBeBest(context, tokens?.[i] ?? Number.NaN, expected, after);
  }
}

/** A token that by the oracle is the best, or as good as that within what logits may be off by. */
export function mustBeBest(
  context: ConformanceContext,
  token: number,
  expected: Float32Array,
  after: () => string,
): void {
  const most = largest(expected);
  const slack = 2 * allowed(context, expected);
  must(expected[token]! >= most - slack, () => `${after()} the best token is ${expected.indexOf(most)}, not ${token}`);
}

function compareLogits(
  context: ConformanceContext,
  got: Float32Array,
  expected: Float32Array,
  after: () => string,
): void {
  let [worst, dot, own, other] = [0, 0, 0, 0];
  for (let v = 0; v < expected.length; v++) {
    const [a, b] = [got[v]!, expected[v]!];
    const off = Math.abs(a - b);
    worst = Math.max(worst, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off);
    dot += a * b;
    own += a * a;
    other += b * b;
  }
  must(worst <= allowed(context, expected), () => `${after()} logits are off by ${worst}`);
  const cosine = dot / Math.sqrt(own * other);
  const { cosine: least = -1 } = context;
  must(!(cosine < least), () => `${after()} logits have a cosine of ${cosine.toFixed(4)} with the oracle's`);
}

function allowed({ tolerance = DEFAULT_TOLERANCE, relative = 0 }: ConformanceContext, expected: Float32Array): number {
  const magnitude = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Math.max(tolerance, relative * Math.max(1, magnitude));
}

function largest(values: Float32Array): number {
  return values.reduce((a, b) => Math.max(a, b));
}
