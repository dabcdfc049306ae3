import { type CodePoints, union } from "../rules/code-points.ts";
import { chars, type MachineState, NEVER, type Rule } from "../rules/rule.ts";
import { classesOf } from "./alphabet.ts";
import { wordCharacters } from "./classes.ts";
import type { Expression } from "./expression.ts";
import { networkOf } from "./network.ts";
import { type Before, distinctWays, type Effort, keyOf, Reader, type Way } from "./reader.ts";

/** States of an expression by itself; and with its lengths counted, at a microsecond or two each to compile. */
const MAX_STATES = 4096;
const MAX_COUNTED = 32_768;
/** What one of those takes, in a reader's steps. */
const STEPS_OF_A_PLACE = 4;

/** Fewest and most characters. */
export interface Lengths {
  readonly min: number;
  readonly max: number;
}

const ANY_LENGTH: Lengths = { min: 0, max: Number.POSITIVE_INFINITY };

/** States that tell by one character after the other whether a text matches, the first before any of them. */
interface Table {
  /** By state and class: the state after such a character, or -1. */
  readonly next: readonly (readonly number[])[];
  readonly accepting: readonly boolean[];
  readonly classes: readonly { readonly set: CodePoints }[];
}

/**
 * The texts that match an expression as a whole and have one of the lengths, told by a machine without choices: so anything that can be
 * asserted about a text can be held to. Undefined where it would have too many states.
 */
export function machineOf(expression: Expression, lengths: Lengths = ANY_LENGTH, effort?: Effort): Rule | undefined {
  const table = tableOf(expression, effort);
  return table && counted(table, lengths, effort);
}

function tableOf(expression: Expression, effort: Effort | undefined): Table | undefined {
  const network = networkOf(expression);
  if (!network) return undefined;
  const { asserted, sets } = network;
  const words = asserted.has("boundary") || asserted.has("inside");
  const classes = classesOf(words ? [...sets, wordCharacters] : sets).map((each, number) => ({
    ...each,
    number,
    word: words && each.within[sets.length]!,
  }));
  const reader = new Reader(network, effort);
  // What came before matters only where something asks for it.
  const beforeFirst: Before = words || asserted.has("start") ? "nothing" : "other";
  const states: { readonly ways: readonly Way[]; readonly before: Before }[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (ways: readonly Way[], before: Before): number => {
    if (ways.length === 0) return -1;
    const key = `${before} ${keyOf(ways)}`;
    const known = numbers.get(key) ?? states.push({ ways, before }) - 1;
    numbers.set(key, known);
    return known;
  };
  numberOf(distinctWays(reader.start), beforeFirst);
  const next: number[][] = [];
  const accepting: boolean[] = [];
  for (let i = 0; i < states.length; i++) {
    if (states.length > MAX_STATES || reader.gaveUp) return undefined;
    const { ways, before } = states[i]!;
    accepting.push(reader.read(ways, before, undefined).matched);
    next.push(classes.map((each) => numberOf(reader.read(ways, before, each).ways, each.word ? "word" : "other")));
  }
  return reader.gaveUp ? undefined : { next, accepting, classes };
}

/** The machine of a table, of whose states each stands there as often as there are lengths at which it matters. */
function counted(table: Table, { min, max }: Lengths, effort: Effort = { taken: 0 }): Rule | undefined {
  const toEnd = distancesToEnd(table);
  if (toEnd[0] === Number.POSITIVE_INFINITY || toEnd[0]! > max) return NEVER;
  // Past the least number, without a most one, all lengths are alike.
  const most = max === Number.POSITIVE_INFINITY ? min : max;
  const numbers = new Map<number, number>();
  const places: { readonly state: number; readonly length: number }[] = [];
  const placeOf = (state: number, length: number): number => {
    const key = state * (most + 1) + length;
    const known = numbers.get(key) ?? places.push({ state, length }) - 1;
    numbers.set(key, known);
    return known;
  };
  placeOf(0, 0);
  const states: { accepting: boolean; steps: { on: number[]; to: number }[] }[] = [];
  for (let i = 0; i < places.length; i++) {
    if (places.length > MAX_COUNTED) return undefined;
    effort.taken += STEPS_OF_A_PLACE;
    const { state, length } = places[i]!;
    const steps = new Map<number, number[]>();
    for (const [each, to] of table.next[state]!.entries()) {
      if (to < 0 || toEnd[to] === Number.POSITIVE_INFINITY || length + 1 + toEnd[to]! > max) continue;
      const place = placeOf(to, Math.min(length + 1, most));
      const known = steps.get(place);
      if (known) known.push(each);
      else steps.set(place, [each]);
    }
    states.push({
      accepting: table.accepting[state]! && length >= min,
      steps: Array.from(steps, ([to, on]) => ({ on, to })),
    });
  }
  return written(states, table.classes);
}

/** Fewest characters from each state to an end; infinite where there is none. */
function distancesToEnd({ next, accepting }: Table): number[] {
  const before: number[][] = next.map(() => []);
  for (const [from, row] of next.entries()) for (const to of new Set(row)) if (to >= 0) before[to]!.push(from);
  const distance = accepting.map((ends) => (ends ? 0 : Number.POSITIVE_INFINITY));
  const queue = [...distance.keys()].filter((state) => distance[state] === 0);
  for (const state of queue) {
    for (const from of before[state]!) {
      if (distance[from]! < Number.POSITIVE_INFINITY) continue;
      distance[from] = distance[state]! + 1;
      queue.push(from);
    }
  }
  return distance;
}

/** States as a rule; equal sets of characters are one object, so that they are compiled once. */
function written(
  states: readonly {
    readonly accepting: boolean;
    readonly steps: readonly { readonly on: number[]; readonly to: number }[];
  }[],
  classes: Table["classes"],
): Rule {
  const sets = new Map<string, Rule>();
  const onOf = (on: readonly number[]): Rule => {
    const key = on.join();
    const known = sets.get(key) ?? chars(union(...on.map((each) => classes[each]!.set)));
    sets.set(key, known);
    return known;
  };
  return {
    kind: "machine",
    states: states.map(
      ({ accepting, steps }): MachineState => ({ accepting, steps: steps.map(({ on, to }) => ({ on: onOf(on), to })) }),
    ),
  };
}
