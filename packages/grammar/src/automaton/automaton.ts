import { GrammarError } from "../error.ts";
import { distances } from "./distances.ts";
import type { Program } from "./program.ts";

/**
 * Where matching stands after some bytes: every way the grammar could have read them. States are made when they are first
 * reached and shared afterwards, so that a step is one look-up.
 */
export interface State {
  /** By byte class: the state after such a byte, `null` where none may come, `undefined` where nobody has looked. */
  readonly next: (State | null | undefined)[];
  /** True where the text may end. */
  readonly accepting: boolean;
  /** Fewest bytes to a place where it may. */
  readonly distance: number;
  readonly configs: readonly Config[];
}

/** One way to have read the bytes: the instruction that waits for the next, and what is to be done after its rule. */
interface Config {
  readonly at: number;
  readonly frame: Frame | null;
}

/** A call to return from (`count` −1) or a loop with its finished rounds. Equal stacks are one object. */
interface Frame {
  readonly id: number;
  readonly at: number;
  readonly count: number;
  readonly parent: Frame | null;
  readonly depth: number;
  /** Fewest bytes from this frame's end to the end of the text. */
  readonly rest: number;
}

/** Deeper nesting than any document in use; without a bound a model could open brackets for ever. */
export const MAX_DEPTH = 512;
/** Ways at once; past it the grammar is so ambiguous that each step would cost milliseconds. */
export const MAX_CONFIGS = 2048;
/**
 * Bytes that a part may need at the least, counted before anything is followed: how many tokens suffice for them is found by
 * following the shortest way, with everything else waiting.
 */
const MAX_SHORTEST = 8192;
/** Ways kept in all states together, at some 100 bytes each: this bounds the memory of a long-lived server. */
const MAX_KEPT = 400_000;

/** Runs a program over bytes, remembering every step it has taken. */
export class Automaton {
  readonly start: State;
  /** Bytes the program never tells apart share a class. */
  readonly classOf: Uint8Array;
  readonly #program: Program;
  readonly #distance: Float64Array;
  readonly #byteOfClass: number[];
  readonly #states = new Map<string, State>();
  readonly #frames = new Map<string, Frame>();
  #frameIds = 0;
  #kept = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#distance = distances(program);
    [this.classOf, this.#byteOfClass] = byteClasses(program);
    const start = program.starts.get(program.root)!;
    if (this.#distance[start] === Number.POSITIVE_INFINITY) {
      throw new GrammarError("unsatisfiable", "no text matches the grammar: some rule has no way to end");
    }
    const longest = this.#distance.reduce(
      (most, length) => (length < Number.POSITIVE_INFINITY ? Math.max(most, length) : most),
      0,
    );
    if (longest > MAX_SHORTEST) {
      throw new GrammarError(
        "limit",
        `a part of the grammar needs at least ${longest} bytes, and ${MAX_SHORTEST} is the most; make it smaller`,
      );
    }
    this.start = this.#stateOf([{ at: start, frame: null }])!;
  }

  /** The state after one more byte, or `null` where the grammar has no such text. */
  step(state: State, byte: number): State | null {
    const byteClass = this.classOf[byte];
    const known = state.next[byteClass];
    return known === undefined ? this.explore(state, byteClass) : known;
  }

  /** Finds a step that nobody has taken yet. */
  explore(state: State, byteClass: number): State | null {
    const byte = this.#byteOfClass[byteClass];
    const reached: Config[] = [];
    for (const { at, frame } of state.configs) {
      const instruction = this.#program.code[at];
      if (instruction.op !== "byte") continue;
      for (const { lo, hi, to } of instruction.cases) if (byte >= lo && byte <= hi) reached.push({ at: to, frame });
    }
    const next = reached.length === 0 ? null : this.#stateOf(reached);
    state.next[byteClass] = next;
    return next;
  }

  /** Follows every instruction that reads nothing. */
  #stateOf(from: readonly Config[]): State | null {
    const configs: Config[] = [];
    const seen = new Set<string>();
    const stack = [...from];
    let accepting = false;
    let distance = Number.POSITIVE_INFINITY;
    const go = (at: number, frame: Frame | null): void => {
      // Ways that can't end are not ways: leaving them out keeps every state able to finish.
      if (this.#distance[at] < Number.POSITIVE_INFINITY) stack.push({ at, frame });
    };
    for (let way = stack.pop(); way !== undefined; way = stack.pop()) {
      const { at, frame } = way;
      const key = `${at}.${frame?.id ?? -1}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const instruction = this.#program.code[at];
      switch (instruction.op) {
        case "byte":
          configs.push(way);
          distance = Math.min(distance, this.#distance[at] + (frame?.rest ?? 0));
          break;
        case "fork":
          for (const to of instruction.to) go(to, frame);
          break;
        case "call": {
          const start = this.#program.starts.get(instruction.rule)!;
          // A call that is the last thing its rule does needs no return: lists written as right recursion stay flat.
          if (this.#program.code[instruction.next].op === "return") go(start, frame);
          else this.#enter(instruction.next, -1, frame, (inner) => go(start, inner));
          break;
        }
        case "loop":
          if (instruction.min === 0) go(instruction.next, frame);
          this.#enter(at, 0, frame, (inner) => go(instruction.body, inner));
          break;
        case "again": {
          const loop = this.#program.code[frame!.at];
          if (loop.op !== "loop") throw new Error("a round ended outside its loop");
          const count = frame!.count + 1;
          if (count >= loop.min) go(loop.next, frame!.parent);
          if (count < loop.max) this.#enter(frame!.at, count, frame!.parent, (inner) => go(loop.body, inner));
          break;
        }
        case "return":
          if (frame === null) accepting = true;
          else go(frame.at, frame.parent);
          break;
      }
      if (configs.length > MAX_CONFIGS) {
        throw new GrammarError(
          "limit",
          `the grammar can be read in more than ${MAX_CONFIGS} ways at once; make it less ambiguous`,
        );
      }
    }
    if (configs.length === 0 && !accepting) return null;
    return this.#intern(configs, accepting, accepting ? 0 : distance);
  }

  #intern(configs: Config[], accepting: boolean, distance: number): State {
    configs.sort((a, b) => a.at - b.at || (a.frame?.id ?? -1) - (b.frame?.id ?? -1));
    const key = `${accepting ? "!" : ""}${configs.map(({ at, frame }) => `${at}.${frame?.id ?? -1}`).join(" ")}`;
    const known = this.#states.get(key);
    if (known) return known;
    this.#kept += configs.length + 8; // a state has its table of steps besides
    if (this.#kept >= MAX_KEPT) {
      this.#kept = 0;
      // Whoever holds a state keeps it; everything else is found again when it is needed.
      this.#states.clear();
      this.#frames.clear();
      this.start.next.fill(undefined);
    }
    const state: State = { next: new Array(this.#byteOfClass.length).fill(undefined), accepting, distance, configs };
    this.#states.set(key, state);
    return state;
  }

  #enter(at: number, count: number, parent: Frame | null, then: (frame: Frame) => void): void {
    const depth = (parent?.depth ?? 0) + 1;
    if (depth > MAX_DEPTH) return;
    const key = `${parent?.id ?? -1}.${at}.${count}`;
    let frame = this.#frames.get(key);
    if (!frame) {
      const rest = this.#after(at, count) + (parent?.rest ?? 0);
      frame = { id: this.#frameIds++, at, count, parent, depth, rest };
      this.#frames.set(key, frame);
    }
    if (frame.rest < Number.POSITIVE_INFINITY) then(frame);
  }

  /** Fewest bytes that a frame still needs once what runs in it has ended. */
  #after(at: number, count: number): number {
    const instruction = this.#program.code[at];
    if (count < 0 || instruction.op !== "loop") return this.#distance[at];
    const rounds = Math.max(0, instruction.min - count - 1);
    return (rounds === 0 ? 0 : rounds * this.#distance[instruction.body]) + this.#distance[instruction.next];
  }
}

function byteClasses({ code }: Program): [classOf: Uint8Array, byteOfClass: number[]] {
  const edges = new Uint8Array(257);
  for (const instruction of code) {
    if (instruction.op === "byte") for (const { lo, hi } of instruction.cases) edges[lo] = edges[hi + 1] = 1;
  }
  const classOf = new Uint8Array(256);
  const byteOfClass = [0];
  for (let byte = 1; byte < 256; byte++) {
    if (edges[byte]) byteOfClass.push(byte);
    classOf[byte] = byteOfClass.length - 1;
  }
  return [classOf, byteOfClass];
}
