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
/** Right guesses in a row that make the next more likely. */
const FOLLOWING = 4;
const STEADY = 16;
/** No token: what parts two texts. */
const NOTHING = -1;

/**
 * Guesses what comes next from what was said before, because much text repeats itself: it finds where the last tokens stood
 * earlier and goes on from there. Where the texts part, as where a name was changed, it looks for where they meet again.
 */
export class TextLookup {
  #text: Int32Array;
  #length = 0;
  #placeOf = new Map<number, number>(); // hash of a run → where its last copy ends
  #earlier: Int32Array; // for where a run ends: where the copy before it ends
  #cursor = NOTHING; // what it stands on is the guess
  #streak = 0;
  #parted = NOTHING; // where the last difference is
  #since = 0;
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
    for (let at = this.#cursor; guessed.length < most; at++) {
      // Past the end it goes on with what it guesses: a text that runs in circles is said on as long as wanted.
      const token = at < this.#length ? this.#text[at]! : guessed[at - this.#length]!;
      if (token === NOTHING) break;
      guessed.push(token);
    }
    return Int32Array.from(guessed);
  }

  /** Takes the token that came, and says whether it was the guess: nothing where there was none. */
  push(token: number): boolean | undefined {
    const cursor = this.#cursor;
    const right = cursor === NOTHING ? undefined : this.#text[cursor] === token;
    this.#add(token);
    if (right) {
      this.#streak++;
      if (this.#streak >= FOLLOWING) this.#parted = NOTHING;
      this.#since++;
      this.#cursor = this.#text[cursor + 1] === NOTHING ? NOTHING : cursor + 1;
      if (this.#cursor === NOTHING) this.#find();
      return true;
    }
    if (right === false && this.#streak >= FOLLOWING) {
      this.#parted = cursor;
      this.#since = 0;
    } else if (this.#parted !== NOTHING && ++this.#since > PATIENCE) this.#parted = NOTHING;
    this.#cursor = NOTHING;
    this.#find();
    return right;
  }

  #kindAt(streak: number): GuessKind {
    if (streak >= STEADY) return "steady";
    return streak >= FOLLOWING ? "following" : this.#start;
  }

  #begin(cursor: number, start: "found" | "resumed"): void {
    if (this.#text[cursor] === NOTHING || cursor >= this.#length) return;
    this.#cursor = cursor;
    this.#streak = 0;
    this.#start = start;
  }

  #find(): void {
    const resumed = this.#parted === NOTHING ? NOTHING : this.#meeting(2);
    const found = resumed === NOTHING ? this.#longestRun() : NOTHING;
    if (resumed !== NOTHING) this.#begin(resumed, "resumed");
    else if (found !== NOTHING) this.#begin(found, "found");
    else if (this.#parted !== NOTHING) {
      const near = this.#meeting(1);
      // One token for one is the commonest change.
      this.#begin(near === NOTHING ? this.#parted + 1 + this.#since : near, "resumed");
    }
  }

  /** After which of the tokens around the difference the text goes on, if it goes on from the last `run` said. */
  #meeting(run: number): number {
    const text = this.#text;
    const expected = this.#parted + 1 + this.#since;
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
