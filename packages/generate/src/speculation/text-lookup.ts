/** How sure a guess is, by how it came about; each has its own record of success. */
export const GUESS_KINDS = ["found", "resumed", "following", "steady"] as const;
export type GuessKind = (typeof GUESS_KINDS)[number];

/** So many equal tokens make a place that is worth going on from. */
const RUN = 3;
/** Earlier places with the same run that are looked at. */
const MOST_PLACES = 8;
/** How far around a difference its two sides are looked for again. */
const BACK = 4;
const AHEAD = 48;
/** Tokens since a difference after which it is given up. */
const PATIENCE = 16;
/** Tokens that have to agree after a difference before it counts as a change that may come again. */
const SETTLED = 2;
/** The longest that is changed at once, and what it is changed to. */
const CHANGED = 4;
/** Right guesses in a row that make the next more likely. */
const FOLLOWING = 4;
const STEADY = 16;
/** No token: what parts two texts. */
const NOTHING = -1;

/** What was said instead of some tokens, the last time that they were passed. */
interface Change {
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/**
 * Guesses what comes next from what was said before, because much text repeats itself: it finds where the last tokens stood
 * earlier and goes on from there. Where the texts part, as where a name was changed, it looks for where they meet again, and
 * takes it that the same change is made wherever the same tokens come.
 */
export class TextLookup {
  #text: Int32Array;
  #length = 0;
  #placeOf = new Map<number, number>(); // hash of a run → where its last copy ends
  #earlier: Int32Array; // for where a run ends: where the copy before it ends
  #cursor = NOTHING; // what it stands on is the guess, or what that was changed to before
  #within = 0; // so many tokens of the change that it stands on have come
  #streak = 0;
  #parted = NOTHING; // where the last difference is
  #since = 0; // tokens that were said from there on
  #change: Change | undefined; // what that difference seems to be
  readonly #changes = new Map<number, Change>(); // by the first token that they change
  #start: "found" | "resumed" = "found";

  /** @param prediction what the answer may look like, beside what the prompt says */
  constructor(prompt: ArrayLike<number>, prediction: ArrayLike<number> = []) {
    const size = 2 * (prompt.length + prediction.length) + 64;
    this.#text = new Int32Array(size);
    this.#earlier = new Int32Array(size);
    for (let i = 0; i < prediction.length; i++) this.#add(prediction[i]!);
    if (prediction.length > 0) this.#add(NOTHING);
    for (let i = 0; i < prompt.length; i++) this.#add(prompt[i]!);
    if (prediction.length > 0) this.#begin(0, "found");
    else this.#find();
  }

  /** How the guess for the next token came about; nothing when there is none. */
  get kind(): GuessKind | undefined {
    return this.#cursor === NOTHING ? undefined : this.#kindAt(this.#streak);
  }

  /** The kind that a guess `ahead` tokens later will have, if all until then are right. */
  kindAhead(ahead: number): GuessKind {
    return this.#kindAt(this.#streak + ahead);
  }

  /** The next tokens as it guesses them, `most` at most. */
  guess(most: number): Int32Array {
    const guessed: number[] = [];
    if (this.#cursor === NOTHING) return Int32Array.from(guessed);
    // Past the end it goes on with what it guesses: a text that runs in circles is said on as long as wanted.
    const tokenAt = (at: number): number => (at < this.#length ? this.#text[at]! : guessed[at - this.#length]!);
    for (let at = this.#cursor, within = this.#within; guessed.length < most; within = 0) {
      const change = this.#changeAt(at);
      if (change) {
        guessed.push(...change.to.subarray(within, within + most - guessed.length));
        at += change.from.length;
        continue;
      }
      const token = tokenAt(at++);
      if (token === NOTHING || token === undefined) break;
      guessed.push(token);
    }
    return Int32Array.from(guessed);
  }

  /** Takes the token that came, and says whether it was the guess: nothing where there was none. */
  push(token: number): boolean | undefined {
    const cursor = this.#cursor;
    const change = cursor === NOTHING ? undefined : this.#changeAt(cursor);
    const expected = change ? change.to[this.#within] : this.#text[cursor];
    const right = cursor === NOTHING ? undefined : expected === token;
    this.#add(token);
    if (this.#parted !== NOTHING) this.#since++;
    if (right) {
      this.#streak++;
      if (this.#streak === SETTLED) this.#remember();
      if (this.#streak >= FOLLOWING) this.#parted = NOTHING;
      if (change && ++this.#within < change.to.length) return true;
      if (!this.#goTo(cursor + (change ? change.from.length : 1))) this.#find();
      return true;
    }
    if (change) {
      this.#changes.delete(change.from[0]!);
      // This once it wasn't changed.
      if (this.#within === 0 && change.from[0] === token && this.#goTo(cursor + 1)) {
        this.#streak = 0;
        return false;
      }
    }
    if (right === false && this.#streak >= SETTLED) {
      this.#parted = cursor;
      this.#since = this.#within + 1;
    } else if (this.#parted !== NOTHING && this.#since > PATIENCE) this.#parted = NOTHING;
    this.#cursor = NOTHING;
    this.#find();
    return right;
  }

  /** Stands on a place, past what was left out before; says whether there is something to guess there. */
  #goTo(cursor: number): boolean {
    this.#within = 0;
    let at = cursor;
    for (let change = this.#changeAt(at); change?.to.length === 0; change = this.#changeAt(at))
      at += change.from.length;
    const isPlace = at < this.#length && this.#text[at] !== NOTHING;
    this.#cursor = isPlace ? at : NOTHING;
    return isPlace;
  }

  #changeAt(at: number): Change | undefined {
    if (at >= this.#length) return undefined;
    const change = this.#changes.get(this.#text[at]!);
    return change?.from.every((id, i) => this.#text[at + i] === id) ? change : undefined;
  }

  /** Takes the difference before the last tokens for a change that may come again. */
  #remember(): void {
    if (this.#change) this.#changes.set(this.#change.from[0]!, this.#change);
    this.#change = undefined;
  }

  #kindAt(streak: number): GuessKind {
    if (streak >= STEADY) return "steady";
    return streak >= FOLLOWING ? "following" : this.#start;
  }

  #begin(cursor: number, start: "found" | "resumed"): void {
    this.#streak = 0;
    this.#start = start;
    this.#goTo(cursor);
  }

  #find(): void {
    this.#change = undefined;
    const resumed = this.#parted === NOTHING ? NOTHING : this.#meeting(2);
    const found = resumed === NOTHING ? this.#longestRun() : NOTHING;
    if (resumed !== NOTHING) this.#resume(resumed, 2);
    else if (found !== NOTHING) this.#begin(found, "found");
    else if (this.#parted !== NOTHING) {
      const near = this.#meeting(1);
      // One token for one is the commonest change.
      if (near === NOTHING) this.#resume(this.#parted + this.#since, 0);
      else this.#resume(near, 1);
    }
  }

  /** Goes on after a difference, the last `run` tokens being equal again: what lies between is what was changed. */
  #resume(cursor: number, run: number): void {
    const from = this.#text.slice(this.#parted, cursor - run);
    const to = this.#text.slice(this.#length - this.#since, this.#length - run);
    const isChange = from.length > 0 && from.length <= CHANGED && to.length <= CHANGED;
    this.#change = isChange ? { from, to } : undefined;
    if (run >= SETTLED) this.#remember();
    if (cursor < this.#length) this.#begin(cursor, "resumed");
  }

  /** After which of the tokens around the difference the text goes on, if it goes on from the last `run` said. */
  #meeting(run: number): number {
    const text = this.#text;
    const expected = this.#parted + this.#since;
    const isMeeting = (at: number): boolean => {
      for (let i = 1; i <= run; i++) if (text[at - i] !== text[this.#length - i]) return false;
      return true;
    };
    const last = Math.min(this.#parted + AHEAD, this.#length - 1 - run);
    for (let off = 0; off <= AHEAD; off++) {
      if (expected + off <= last && isMeeting(expected + off)) return expected + off;
      if (off > 0 && off <= BACK && expected - off >= run && isMeeting(expected - off)) return expected - off;
    }
    return NOTHING;
  }

  /** What follows the copy of the last tokens that reaches back furthest; of equal ones the latest. */
  #longestRun(): number {
    const end = this.#length;
    if (end < RUN) return NOTHING;
    const text = this.#text;
    let best = NOTHING;
    let longest = RUN - 1;
    let place = this.#earlier[end - 1]!;
    for (let n = 0; n < MOST_PLACES && place > 0; n++, place = this.#earlier[place - 1]!) {
      let run = 0;
      while (run < place && run < AHEAD && text[place - 1 - run] === text[end - 1 - run]) run++;
      if (run <= longest) continue; // also where only the hash was equal
      longest = run;
      best = place;
    }
    return best;
  }

  #add(token: number): void {
    if (this.#length === this.#text.length) {
      this.#text = grown(this.#text);
      this.#earlier = grown(this.#earlier);
    }
    this.#text[this.#length++] = token;
    const end = this.#length;
    if (end < RUN) return;
    let hash = 0;
    for (let i = 1; i <= RUN; i++) hash = (Math.imul(hash, 0x01000193) ^ this.#text[end - i]!) | 0;
    this.#earlier[end - 1] = this.#placeOf.get(hash) ?? 0;
    this.#placeOf.set(hash, end);
  }
}

function grown(values: Int32Array): Int32Array {
  const larger = new Int32Array(2 * values.length);
  larger.set(values);
  return larger;
}
