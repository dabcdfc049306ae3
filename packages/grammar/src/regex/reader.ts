import type { CharacterClass } from "./alphabet.ts";
import type { Network } from "./network.ts";

/** What came before a place of a text: nothing, a letter of a word, or another character. */
export type Before = "nothing" | "word" | "other";

/** The character after a place, by what is known of it; undefined at the text's end. */
export type After = (CharacterClass & { readonly number: number; readonly word: boolean }) | undefined;

/** One way to have read a text so far: the step that comes, and what must be found or not from places before. */
export interface Way {
  readonly at: number;
  readonly looks: readonly Look[];
  readonly key: string;
}

interface Look {
  readonly negative: boolean;
  readonly ways: readonly Way[];
  /** Equal ones are one object. */
  readonly number: number;
}

interface Read {
  readonly matched: boolean;
  readonly ways: readonly Way[];
}

/** Steps taken for one expression: about half a second's worth, with everything else waiting; and for all of one schema. */
const MAX_TAKEN = 500_000;
const MAX_TOGETHER = 1_000_000;

/** What has been taken for expressions that stand together. */
export interface Effort {
  taken: number;
}

const NO_LOOKS: readonly Look[] = [];

function wayOf(at: number, looks: readonly Look[]): Way {
  return { at, looks, key: looks.length === 0 ? String(at) : `${at}(${looks.map(({ number }) => number).join()})` };
}

/** Ways, each once and in a fixed order. */
export function distinctWays(ways: readonly Way[]): Way[] {
  const unique = new Map(ways.map((way) => [way.key, way]));
  return [...unique.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

const distinctLooks = (looks: readonly Look[]): Look[] => [...new Set(looks)].toSorted((a, b) => a.number - b.number);

export const keyOf = (ways: readonly Way[]): string => ways.map(({ key }) => key).join(" ");

/** Follows the ways of an expression through a text, a character at a time. */
export class Reader {
  readonly #network: Network;
  /** What looks have come to at a place of a kind: many ways share theirs. */
  readonly #looked = new Map<string, Read>();
  readonly #looks = new Map<string, Look>();
  readonly #effort: Effort;
  #taken = 0;

  constructor(network: Network, effort: Effort = { taken: 0 }) {
    this.#network = network;
    this.#effort = effort;
  }

  /** True once an expression has taken so many steps that what was read is not all there is. */
  get gaveUp(): boolean {
    return this.#taken > MAX_TAKEN || this.#effort.taken > MAX_TOGETHER;
  }

  #take(steps: number): void {
    this.#taken += steps;
    this.#effort.taken += steps;
  }

  get start(): readonly Way[] {
    return [wayOf(this.#network.start, NO_LOOKS)];
  }

  #lookOf(negative: boolean, ways: readonly Way[]): Look {
    const key = `${negative ? "!" : "="}${keyOf(ways)}`;
    const look = this.#looks.get(key) ?? { negative, ways, number: this.#looks.size };
    this.#looks.set(key, look);
    return look;
  }

  /** The ways after one more character, or at the end whether one of them has matched. */
  read(ways: readonly Way[], before: Before, after: After): Read {
    return this.#read(ways, before, after, false);
  }

  /** @param ahead looking ahead: what has matched has done so whatever comes */
  #read(ways: readonly Way[], before: Before, after: After, ahead: boolean): Read {
    const next: Way[] = [];
    let matched = false;
    for (const { at, looks } of this.#waiting(ways, before, after)) {
      const open = this.#lookOn(looks, before, after);
      if (!open) continue;
      const step = this.#network.steps[at]!;
      if (step.op === "match") {
        if (after === undefined || (ahead && open.length === 0)) matched = true;
        else if (ahead) next.push(wayOf(at, open));
      } else if (step.op === "read" && after?.within[step.set]) next.push(wayOf(step.to, open));
    }
    return { matched, ways: distinctWays(next) };
  }

  /** What is still open of looks; undefined where one of them has failed. */
  #lookOn(looks: readonly Look[], before: Before, after: After): readonly Look[] | undefined {
    if (looks.length === 0) return looks;
    this.#take(looks.length);
    const open: Look[] = [];
    for (const look of looks) {
      const { negative } = look;
      const key = `${look.number} ${before} ${after?.number}`;
      const read = this.#looked.get(key) ?? this.#read(look.ways, before, after, true);
      this.#looked.set(key, read);
      const { matched, ways: rest } = read;
      const settled = matched || after === undefined || rest.length === 0;
      if (!settled) open.push(this.#lookOf(negative, rest));
      else if (matched === negative) return undefined;
    }
    return distinctLooks(open);
  }

  /** The ways at steps that read or match, once all that read nothing have been taken. */
  #waiting(ways: readonly Way[], before: Before, after: After): readonly Way[] {
    const waiting: Way[] = [];
    const seen = new Set<string>();
    const stack = [...ways];
    for (let way = stack.pop(); way !== undefined && !this.gaveUp; way = stack.pop()) {
      this.#take(1);
      if (seen.has(way.key)) continue;
      seen.add(way.key);
      const { looks } = way;
      const step = this.#network.steps[way.at]!;
      if (step.op === "read" || step.op === "match") waiting.push(way);
      else if (step.op === "fork") for (const to of step.to) stack.push(wayOf(to, looks));
      else if (step.op === "assert") {
        if (holds(step.what, before, after)) stack.push(wayOf(step.to, looks));
      } else {
        this.#take(looks.length);
        const look = this.#lookOf(step.negative, [wayOf(step.from, NO_LOOKS)]);
        stack.push(wayOf(step.to, distinctLooks([...looks, look])));
      }
    }
    return waiting;
  }
}

function holds(what: "start" | "end" | "boundary" | "inside", before: Before, after: After): boolean {
  if (what === "start") return before === "nothing";
  if (what === "end") return after === undefined;
  return ((before === "word") !== (after?.word ?? false)) === (what === "boundary");
}
