import { Constraint } from "../constraint.ts";
import { GrammarError } from "../error.ts";
import { parseGrammar } from "../source.ts";
import type { Vocabulary } from "../vocabulary/vocabulary.ts";

/** None for a schema that is refused by name, or that nothing is valid by: chance puts together what can't be said. */
export function constraintOf(schema: object, vocabulary: Vocabulary): Constraint | undefined {
  try {
    return new Constraint(parseGrammar({ jsonSchema: schema }), vocabulary);
  } catch (error) {
    if (GrammarError.isInstance(error) && error.code !== "rejected") return undefined;
    throw error;
  }
}

/** An answer of at most `room` tokens, each drawn at random from those that the mask allows. */
export function randomAnswer(constraint: Constraint, room: number, seed: number): string {
  const { vocabulary, ends } = constraint;
  const matcher = constraint.matcher();
  const bytes: number[] = [];
  let state = (seed + 1) >>> 0;
  for (let left = room; left > 0 && !matcher.done; left--) {
    const mask = matcher.mask(left);
    const allowed: number[] = [];
    for (let token = 0; token < vocabulary.size; token++)
      if ((mask[token >>> 5] >>> (token & 31)) & 1) allowed.push(token);
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const token = allowed[Math.floor((state / 2 ** 32) * allowed.length)];
    matcher.accept(token);
    if (ends.includes(token)) break;
    bytes.push(...vocabulary.bytesOf(token)!);
  }
  if (!matcher.complete) throw new Error("the room was used up before the answer was complete");
  return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
}
