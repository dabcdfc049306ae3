import type { CodePoints } from "../rules/code-points.ts";
import type { Assertion, Expression } from "./expression.ts";

/** A step of an expression. Targets are step numbers. */
export type Step =
  | { readonly op: "read"; readonly set: number; readonly to: number }
  | { readonly op: "fork"; readonly to: number[] }
  | { readonly op: "assert"; readonly what: Assertion["what"]; readonly to: number }
  | { readonly op: "look"; readonly from: number; readonly negative: boolean; readonly to: number }
  | { readonly op: "match" };

/** An expression as steps that lead to one another, and the sets of characters that they read. */
export interface Network {
  readonly steps: readonly Step[];
  readonly sets: readonly CodePoints[];
  readonly start: number;
  /** What is asserted anywhere in it. */
  readonly asserted: ReadonlySet<Assertion["what"]>;
}

/** Rounds written out and all: an expression of more steps would take a second to be followed. */
const MAX_STEPS = 20_000;

/** Undefined where there are too many steps. */
export function networkOf(expression: Expression): Network | undefined {
  const steps: Step[] = [{ op: "match" }];
  const sets: CodePoints[] = [];
  const numbers = new Map<string, number>();
  const asserted = new Set<Assertion["what"]>();
  const push = (step: Step): number => steps.push(step) - 1;
  const numberOf = (set: CodePoints): number => {
    const key = set.join();
    const number = numbers.get(key) ?? sets.push(set) - 1;
    numbers.set(key, number);
    return number;
  };
  const emit = (part: Expression, next: number): number => {
    if (steps.length > MAX_STEPS) return next;
    switch (part.kind) {
      case "chars":
        return push({ op: "read", set: numberOf(part.set), to: next });
      case "seq":
        return part.of.reduceRight((to, each) => emit(each, to), next);
      case "alt":
        return push({ op: "fork", to: part.of.map((each) => emit(each, next)) });
      case "repeat":
        return rounds(part, next);
      case "assert":
        asserted.add(part.what);
        return push({ op: "assert", what: part.what, to: next });
      case "look":
        return push({ op: "look", from: emit(part.of, 0), negative: part.negative, to: next });
    }
  };
  const rounds = ({ of, min, max }: Expression & { kind: "repeat" }, next: number): number => {
    let at = next;
    if (max === Number.POSITIVE_INFINITY) {
      const fork: Step = { op: "fork", to: [next] };
      at = push(fork);
      fork.to.push(emit(of, at));
    }
    for (let i = min; i < max && max < Number.POSITIVE_INFINITY && steps.length <= MAX_STEPS; i++)
      at = push({ op: "fork", to: [emit(of, at), next] });
    for (let i = 0; i < min && steps.length <= MAX_STEPS; i++) {
      const before = at;
      at = emit(of, at);
      if (at === before) break; // a round without a step: so are all others
    }
    return at;
  };
  const start = emit(expression, 0);
  return steps.length > MAX_STEPS ? undefined : { steps, sets, start, asserted };
}
