import type { CodePoints } from "./code-points.ts";

/**
 * What every notation is translated to: a context-free grammar over characters. Regular expressions use no `ref`.
 */
export type Rule =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "chars"; readonly set: CodePoints }
  /** A token that is no text, where the vocabulary has one of this name; the text itself where it hasn't. */
  | { readonly kind: "marker"; readonly text: string }
  | { readonly kind: "seq"; readonly of: readonly Rule[] }
  | { readonly kind: "alt"; readonly of: readonly Rule[] }
  | { readonly kind: "repeat"; readonly of: Rule; readonly min: number; readonly max: number }
  /** States that one character after the other leads through, from the first on; deterministic, so it is read in one way alone. */
  | { readonly kind: "machine"; readonly states: readonly MachineState[] }
  | { readonly kind: "ref"; readonly name: string };

/** A state of a machine: whether a text may end there, and where each character leads. */
export interface MachineState {
  readonly accepting: boolean;
  /** Rules of one character each, however it is written. */
  readonly steps: readonly { readonly on: Rule; readonly to: number }[];
}

/** Rules by name, and the one that a whole text must match. */
export interface Grammar {
  readonly root: string;
  readonly rules: ReadonlyMap<string, Rule>;
}

export const EMPTY: Rule = { kind: "text", text: "" };
/** Matches nothing, not even the empty text. */
export const NEVER: Rule = { kind: "alt", of: [] };

export const text = (of: string): Rule => ({ kind: "text", text: of });
export const chars = (set: CodePoints): Rule => (set.length === 0 ? NEVER : { kind: "chars", set });
export const marker = (of: string): Rule => ({ kind: "marker", text: of });
export const ref = (name: string): Rule => ({ kind: "ref", name });

export function seq(...of: readonly Rule[]): Rule {
  if (of.includes(NEVER)) return NEVER;
  const parts = of.filter((rule) => rule !== EMPTY).flatMap((rule) => (rule.kind === "seq" ? rule.of : [rule]));
  if (parts.length === 0) return EMPTY;
  return parts.length === 1 ? parts[0] : { kind: "seq", of: parts };
}

export const alt = (...of: readonly Rule[]): Rule => anyOf(of);

/** Any one of a list, however long: arguments are put on the stack. */
export function anyOf(of: readonly Rule[]): Rule {
  const parts = of.flatMap((rule) => (rule.kind === "alt" ? rule.of : [rule]));
  if (parts.length === 0) return NEVER;
  return parts.length === 1 ? parts[0] : { kind: "alt", of: parts };
}

export function repeat(of: Rule, min: number, max: number): Rule {
  if (max === 0 || of === EMPTY) return EMPTY;
  if (of === NEVER) return min === 0 ? EMPTY : NEVER;
  return min === 1 && max === 1 ? of : { kind: "repeat", of, min, max };
}

export const optional = (of: Rule): Rule => repeat(of, 0, 1);
export const many = (of: Rule): Rule => repeat(of, 0, Number.POSITIVE_INFINITY);
export const some = (of: Rule): Rule => repeat(of, 1, Number.POSITIVE_INFINITY);

/** A machine with something else in the place of each character. */
export const onEach = ({ states }: Rule & { readonly kind: "machine" }, change: (on: Rule) => Rule): Rule => {
  const changed = new Map<Rule, Rule>();
  const changeOnce = (on: Rule): Rule => {
    const known = changed.get(on) ?? change(on);
    changed.set(on, known);
    return known;
  };
  return {
    kind: "machine",
    states: states.map(({ accepting, steps }) => ({
      accepting,
      steps: steps.map(({ on, to }) => ({ on: changeOnce(on), to })),
    })),
  };
};

/** A grammar of one rule. */
export const grammarOf = (rule: Rule): Grammar => ({ root: "root", rules: new Map([["root", rule]]) });
