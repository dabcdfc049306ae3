import { Automaton, type State } from "./automaton/automaton.ts";
import { compile } from "./automaton/program.ts";
import { NO_RUN, type Run, Runs } from "./automaton/runs.ts";
import { TokenRoom } from "./automaton/token-room.ts";
import { GrammarError } from "./error.ts";
import type { Grammar } from "./rules/rule.ts";
import type { Vocabulary } from "./vocabulary/vocabulary.ts";

/** The tokens that may come at a state. */
interface Allowed {
  readonly mask: Uint32Array;
  /** How many bytes from an end the farthest of them leads. */
  readonly farthest: number;
  /** After how many tokens any of them surely has come to an end; no more than the bytes, and found when it matters. */
  needed?: number;
}

/** What is known of a state, by how many tokens there may be after the next. */
type ByReach = Map<number, Allowed>;

/** Bytes, and so tokens at the most, that are left to be said of the character that a token ends in. */
const MAX_BEGUN = 3;
/** Masks kept, newest last: 256 of a 128 k vocabulary are 4 MB. */
const MAX_MASKS = 256;

/** A grammar over a vocabulary. Any number of answers may be matched against one at a time, and share what it has learnt. */
export class Constraint {
  readonly vocabulary: Vocabulary;
  /** Tokens that end an answer: the vocabulary's own, unless others were named. */
  readonly ends: readonly number[];
  readonly #automaton: Automaton;
  readonly #room: TokenRoom;
  readonly #runs: Runs;
  readonly #allowed = new WeakMap<State, ByReach>();
  /** All of those, the last used last. */
  readonly #kept = new Map<Allowed, { readonly from: ByReach; readonly reach: number }>();

  constructor(grammar: Grammar, vocabulary: Vocabulary, ends: readonly number[] = vocabulary.ends) {
    this.vocabulary = vocabulary;
    this.ends = ends;
    this.#automaton = new Automaton(compile(grammar, vocabulary.markers));
    this.#runs = new Runs(this.#automaton);
    this.#room = new TokenRoom(this.#automaton, vocabulary, ends);
  }

  /** So many tokens surely suffice for an answer that matches. */
  get shortest(): number {
    return this.needed(this.#automaton.start);
  }

  /** Begins to match an answer. */
  matcher(): Matcher {
    return new Matcher(this, this.#automaton);
  }

  /** True when the whole text matches. */
  matches(text: string): boolean {
    let state: State | null = this.#automaton.start;
    for (const byte of new TextEncoder().encode(text)) if (state) state = this.#automaton.step(state, byte);
    return state?.accepting ?? false;
  }

  /** @internal Tokens that surely suffice after a state. */
  needed(state: State): number {
    return this.#room.needed(state);
  }

  /** @internal What may come at a state after which at most `reach` tokens may follow. */
  allowed(state: State, reach: number): Uint32Array {
    const all = this.#find(state, Number.POSITIVE_INFINITY);
    if (all.farthest <= reach) return all.mask;
    all.needed ??= this.#mostNeeded(state);
    return all.needed <= reach ? all.mask : this.#find(state, reach).mask;
  }

  #find(state: State, reach: number): Allowed {
    let from = this.#allowed.get(state);
    if (!from) {
      from = new Map();
      this.#allowed.set(state, from);
    }
    let allowed = from.get(reach);
    if (allowed) this.#kept.delete(allowed);
    else {
      allowed = this.#walk(state, reach);
      from.set(reach, allowed);
      if (this.#kept.size >= MAX_MASKS) this.#forget();
    }
    this.#kept.set(allowed, { from, reach });
    return allowed;
  }

  #forget(): void {
    const [oldest, { from, reach }] = this.#kept.entries().next().value!;
    from.delete(reach);
    this.#kept.delete(oldest);
  }

  /** Every token after which `reach` more surely suffice. */
  #walk(state: State, reach: number): Allowed {
    const { tokens, twins, longest } = this.vocabulary;
    const run = this.#runs.from(state, longest);
    const free = run.through.every((at) => this.#room.fits(at, reach - MAX_BEGUN)) ? run : NO_RUN;
    const mask = free === NO_RUN ? this.vocabulary.noTokens() : this.vocabulary.madeOf(free.kinds, free.length);
    let farthest = Math.max(0, ...free.through.map((at) => at.distance + MAX_BEGUN));
    this.#follow(state, free, (node, to) => {
      if (!this.#room.fits(to, reach)) return;
      const token = tokens[node];
      farthest = Math.max(farthest, to.distance);
      mask[token >>> 5] |= 1 << (token & 31);
      for (const twin of twins.get(node) ?? []) mask[twin >>> 5] |= 1 << (twin & 31);
    });
    // What ends an answer may come nowhere but at an end, even where it has a text.
    for (const end of this.ends) {
      if (state.accepting) mask[end >>> 5] |= 1 << (end & 31);
      else mask[end >>> 5] &= ~(1 << (end & 31));
    }
    return { mask, farthest };
  }

  #mostNeeded(state: State): number {
    const run = this.#runs.from(state, this.vocabulary.longest);
    let most = Math.max(0, ...run.through.map((at) => this.needed(at) + MAX_BEGUN));
    this.#follow(state, run, (_, to) => {
      most = Math.max(most, this.needed(to));
    });
    return most;
  }

  /** Goes through the tokens that the grammar takes at a state, but for those of a run: where each is, and where it leads. */
  #follow(state: State, run: Run, take: (node: number, to: State) => void): void {
    const { bytes, depths, after, tokens, kinds, lengths, depth } = this.vocabulary;
    const automaton = this.#automaton;
    const { classOf } = automaton;
    const states: State[] = new Array(depth + 1);
    states[0] = state;
    for (let node = 0; node < bytes.length; ) {
      if ((kinds[node] & ~run.kinds) === 0 && lengths[node] <= run.length) {
        node = after[node];
        continue;
      }
      const from = states[depths[node] - 1];
      const byteClass = classOf[bytes[node]];
      const known = from.next[byteClass];
      const to = known === undefined ? automaton.explore(from, byteClass) : known;
      if (to === null) {
        node = after[node];
        continue;
      }
      states[depths[node]] = to;
      if (tokens[node] >= 0) take(node, to);
      node++;
    }
  }
}

/** One answer in the making. */
export class Matcher {
  readonly #constraint: Constraint;
  readonly #automaton: Automaton;
  /** The state after each token so far, for going back. */
  readonly #states: State[];
  #ended = false;

  /** @internal Made by {@link Constraint.matcher}. */
  constructor(constraint: Constraint, automaton: Automaton, states: readonly State[] = [automaton.start]) {
    this.#constraint = constraint;
    this.#automaton = automaton;
    this.#states = [...states];
  }

  /** How many tokens have been taken, an end among them. */
  get length(): number {
    return this.#states.length - 1 + (this.#ended ? 1 : 0);
  }

  /** True where the answer may end. */
  get complete(): boolean {
    return this.#state.accepting;
  }

  /** True where nothing may follow but an end. */
  get done(): boolean {
    return this.#ended || (this.#state.accepting && this.#state.configs.length === 0);
  }

  /**
   * The tokens that may come next, a bit each. Given how many tokens there is room for, only those after which the answer
   * can still be brought to its end in the rest. The mask is shared: read it, don't write to it.
   *
   * @throws GrammarError where nothing may come: too little room, or a vocabulary without the bytes
   */
  mask(room: number = Number.POSITIVE_INFINITY): Uint32Array {
    const state = this.#state;
    const mask = this.#constraint.allowed(state, room - 1);
    if (!state.accepting && mask.every((word) => word === 0)) {
      const needed = this.#constraint.needed(state);
      throw new GrammarError(
        "unsatisfiable",
        needed > room
          ? `an answer that matches needs up to ${needed} tokens more, and there is room for ${room}`
          : "no token of this vocabulary can continue an answer that matches",
      );
    }
    return mask;
  }

  /** Takes the token that came. @throws GrammarError for one that the mask had ruled out */
  accept(token: number): void {
    const { ends } = this.#constraint;
    const next = this.#ended ? null : this.#after(token);
    if (next) this.#states.push(next);
    else if (!this.#ended && this.#state.accepting && ends.includes(token)) this.#ended = true;
    else throw new GrammarError("rejected", `token ${token} does not continue an answer that matches`);
  }

  /** How many of these tokens would be accepted, one after the other. */
  prefixOf(tokens: ArrayLike<number>): number {
    const trial = this.clone();
    for (let i = 0; i < tokens.length; i++) {
      const next = trial.#after(tokens[i]);
      if (!next) return i;
      trial.#states.push(next);
    }
    return tokens.length;
  }

  /** Forgets all but the first `length` tokens. */
  trim(length: number): void {
    if (length < this.length) this.#ended = false;
    this.#states.length = Math.min(this.#states.length, length + 1);
  }

  clone(): Matcher {
    const twin = new Matcher(this.#constraint, this.#automaton, this.#states);
    twin.#ended = this.#ended;
    return twin;
  }

  get #state(): State {
    return this.#states[this.#states.length - 1];
  }

  #after(token: number): State | null {
    const bytes = this.#constraint.vocabulary.bytesOf(token);
    if (!bytes || bytes.length === 0 || this.#constraint.ends.includes(token)) return null;
    let state: State | null = this.#state;
    for (let i = 0; i < bytes.length && state; i++) state = this.#automaton.step(state, bytes[i]);
    return state;
  }
}
