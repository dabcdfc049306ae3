import type { Golden } from "@llm/fixtures";
import type { Session } from "@llm/target";

type Prompt = Golden["prompts"][number];

/** What a session says of a prompt in a slot: every token's logits, and the likeliest continuation. */
export interface MeshAnswer {
  readonly logits: Float32Array;
  readonly greedy: readonly number[];
}

export async function answerIn(session: Session, slot: number, { input_ids, greedy }: Prompt): Promise<MeshAnswer> {
  const prompt = Int32Array.from(input_ids);
  const [first] = await session.step([{ slot, at: 0, tokens: prompt, want: { kind: "logits", last: prompt.length } }]);
  const logits = first!.logits!.slice();
  const made: number[] = [];
  for (let at = 0, tokens = prompt; made.length < greedy.length; ) {
    const want = { kind: "token", sampling: { method: "greedy" }, last: 1 } as const;
    const [result] = await session.step([{ slot, at, tokens, want }]);
    at += tokens.length;
    tokens = result!.tokens!.slice() as Int32Array<ArrayBuffer>;
    made.push(tokens[0]!);
  }
  return { logits, greedy: made };
}

/** The largest difference; NaN is infinitely far from anything. */
export function apart(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce(
    (most, x, i) => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : Math.max(most, Math.abs(x - b[i]!))),
    0,
  );
}
