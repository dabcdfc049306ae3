import { alt, EMPTY, NEVER, type Rule, repeat, seq } from "../rules/rule.ts";
import type { Lengths } from "./machine.ts";

/** Ways to choose among parts of different lengths that are written out. */
const MAX_WAYS = 16;

/**
 * The texts of a rule that have one of the lengths, where that is plain: all of them have, or one part of it repeats single
 * characters and all others have a length. Undefined where it isn't.
 */
export function withLengths(rule: Rule, { min, max }: Lengths): Rule | undefined {
  const [least, most] = extent(rule);
  if (min <= least && most <= max) return rule;
  if (min > most || max < least) return NEVER;
  const ways = spread(rule);
  const counted = ways?.map((way) => narrowed(way, { min, max }));
  return counted && !counted.includes(undefined) ? alt(...(counted as Rule[])) : undefined;
}

/** The same lengths without those that all texts of a rule have anyway. */
export function telling(rule: Rule, { min, max }: Lengths): Lengths {
  const [least, most] = extent(rule);
  return { min: min <= least ? 0 : min, max: max >= most ? Number.POSITIVE_INFINITY : max };
}

/** Fewest and most characters of a rule's texts; of machines nothing is known. */
function extent(rule: Rule): readonly [least: number, most: number] {
  switch (rule.kind) {
    case "text": {
      const { length } = Array.from(rule.text);
      return [length, length];
    }
    case "chars":
      return [1, 1];
    case "seq":
      return rule.of.map(extent).reduce(([a, b], [low, high]) => [a + low, b + high], [0, 0]);
    case "alt": {
      const parts = rule.of.map(extent);
      return [Math.min(...parts.map(([low]) => low)), Math.max(...parts.map(([, high]) => high))];
    }
    case "repeat": {
      const [low, high] = extent(rule.of);
      return [low * rule.min, high === 0 ? 0 : high * rule.max];
    }
    default:
      return [0, Number.POSITIVE_INFINITY];
  }
}

const isFixed = (rule: Rule): boolean => {
  const [least, most] = extent(rule);
  return least === most;
};

/** A rule as sequences of which each part but for one has a length. */
function spread(rule: Rule): readonly (readonly Rule[])[] | undefined {
  if (rule.kind === "alt" && !isFixed(rule)) {
    const all = rule.of.map(spread);
    const ways = all.includes(undefined) ? undefined : all.flatMap((each) => each!);
    return ways && ways.length <= MAX_WAYS ? ways : undefined;
  }
  let ways: (readonly Rule[])[] = [[]];
  for (const part of rule.kind === "seq" ? rule.of : [rule]) {
    const kinds = choicesOf(part);
    ways = ways.flatMap((way) => kinds.map((kind) => [...way, kind]));
    if (ways.length > MAX_WAYS) return undefined;
  }
  return ways;
}

/** What a part may be: there or not, one of several. */
function choicesOf(part: Rule): readonly Rule[] {
  if (isFixed(part)) return [part];
  if (part.kind === "repeat" && part.max === 1) return [EMPTY, part.of];
  return part.kind === "alt" ? part.of : [part];
}

function narrowed(parts: readonly Rule[], { min, max }: Lengths): Rule | undefined {
  const at = parts.findIndex((part) => !isFixed(part));
  const others = extent(seq(...parts.toSpliced(Math.max(at, 0), at < 0 ? 0 : 1)));
  if (others[0] !== others[1]) return undefined;
  if (at < 0) return others[0] >= min && others[0] <= max ? seq(...parts) : NEVER;
  const part = parts[at]!;
  if (part.kind !== "repeat" || part.of.kind !== "chars") return undefined;
  const [least, most] = [Math.max(part.min, min - others[0]), Math.min(part.max, max - others[0])];
  return least > most ? NEVER : seq(...parts.toSpliced(at, 1, repeat(part.of, least, most)));
}
