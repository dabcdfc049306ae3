import { setImmediate } from "node:timers/promises";
import type { ModelCard, Session } from "@llm/target";
import { argmax, argmaxRows } from "./compare.ts";
import { ToolchainError } from "./error.ts";
import type { Reference } from "./reference.ts";
import type { NamedFloats } from "./write-safetensors.ts";

export interface LogitsRequest {
  readonly ids: Int32Array;
  /** Also what goes into the first block and comes out of each. */
  readonly hidden?: boolean;
  /** Also continue by so many tokens, the likeliest each time; the end of the text doesn't stop it. */
  readonly greedy?: number;
  readonly signal?: AbortSignal;
}

export interface LogitsResult {
  readonly logits: Float32Array; // (ids, vocab)
  /** hidden[0] is the input of the first block, hidden[i] what the i-th made. */
  readonly hidden?: readonly Float32Array[]; // each (ids, width)
  /** The likeliest next token after each of the ids. */
  readonly argmax: readonly number[];
  readonly greedy?: readonly number[];
}

/** One call with all tokens, then one for each that is continued by. */
type Step = (
  at: number,
  tokens: Int32Array,
  last: number,
) => Promise<{ readonly logits: Float32Array; readonly hidden?: readonly Float32Array[] }>;

/** By the plain interpreter. */
export async function referenceLogits(
  reference: Reference,
  card: ModelCard,
  request: LogitsRequest,
): Promise<LogitsResult> {
  return collect(
    card,
    request,
    async (at, tokens, last) => (await reference.step([{ slot: 0, at, tokens, last }]))[0]!,
  );
}

/** By a device. What is between its blocks isn't a session's business: see `runExposed`. */
export async function sessionLogits(session: Session, card: ModelCard, request: LogitsRequest): Promise<LogitsResult> {
  const { chunk } = session.limits;
  return collect(card, request, async (at, tokens, last) => {
    const pieces: Float32Array[] = [];
    for (let from = 0; from < tokens.length; from += chunk) {
      const piece = tokens.subarray(from, from + chunk);
      const want = Math.min(piece.length, last - (tokens.length - from - piece.length));
      const [result] = await session.step([
        {
          slot: 0,
          at: at + from,
          tokens: piece,
          reach: at + tokens.length,
          ...(want > 0 ? { want: { kind: "logits", last: want } } : {}),
        },
      ]);
      if (want > 0) pieces.push(result!.logits!.slice());
    }
    return { logits: joined(pieces) };
  });
}

async function collect(
  card: ModelCard,
  { ids, hidden = false, greedy, signal }: LogitsRequest,
  step: Step,
): Promise<LogitsResult> {
  check(card, ids, greedy ?? 0);
  const first = await step(0, ids, ids.length);
  const result = {
    logits: first.logits,
    argmax: argmaxRows(first.logits, card.vocab),
    ...(hidden && first.hidden ? { hidden: first.hidden } : {}),
  };
  if (greedy === undefined) return result;
  const next = [result.argmax.at(-1)!];
  while (next.length < greedy) {
    await setImmediate(undefined, { ...(signal ? { signal } : {}) }); // an interpreter leaves no time for signals
    const { logits } = await step(ids.length + next.length - 1, Int32Array.of(next.at(-1)!), 1);
    next.push(argmax(logits));
  }
  return { ...result, greedy: next };
}

function check({ vocab, context }: ModelCard, ids: Int32Array, greedy: number): void {
  if (ids.length === 0) throw new ToolchainError("input-invalid", "there is no token to compute logits of");
  const outside = ids.find((id) => id < 0 || id >= vocab);
  if (outside !== undefined)
    throw new ToolchainError(
      "option-invalid",
      `token ${outside} is not in the vocabulary, which has 0 to ${vocab - 1}`,
    );
  if (ids.length + greedy > context + 1)
    throw new ToolchainError(
      "input-invalid",
      `${ids.length} tokens and ${greedy} more don't fit into a context of ${context}`,
    );
}

/** As tensors of a file: `logits`, and `hidden.0`, `hidden.1`, … */
export function logitsTensors(
  { logits, hidden = [] }: LogitsResult,
  { vocab, width }: ModelCard,
): readonly NamedFloats[] {
  const rows = logits.length / vocab;
  return [
    { name: "logits", shape: [rows, vocab], data: logits },
    ...hidden.map((data, i) => ({ name: `hidden.${i}`, shape: [rows, width], data })),
  ];
}

function joined(pieces: readonly Float32Array[]): Float32Array {
  if (pieces.length === 1) return pieces[0]!;
  const all = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
