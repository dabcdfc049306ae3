import { SuccessRate } from "./success-rate.ts";
import { GUESS_KINDS, type GuessKind, TextLookup } from "./text-lookup.ts";

const NONE = new Int32Array(0);

/**
 * How often a guess is right before anything is known, by how it came about. That some tokens stood there before says little:
 * such guesses are sent once a few of them, judged without being sent, would have been right.
 */
const EXPECTED: Readonly<Record<GuessKind, number>> = { found: 0, resumed: 0.25, following: 0.75, steady: 0.9 };
/** The same where the request says what its answer may look like. */
const EXPECTED_OF_PREDICTION: typeof EXPECTED = { ...EXPECTED, found: 0.5, resumed: 0.5 };

/** After a draft model didn't pay it is tried again so many tokens later, each time twice as many. */
const FIRST_PAUSE = 16;
const LONGEST_PAUSE = 1024;

/** What is guessed of one answer, and how well that goes. */
export class Drafts {
  /** Guesses for the next step; none: it is a plain one. */
  next: Int32Array = NONE;
  /** Tokens that were sent as guesses, and those of them that were right. */
  sent = 0;
  accepted = 0;
  readonly #lookup: TextLookup;
  readonly #rates: ReadonlyMap<GuessKind, SuccessRate>;
  #model = new SuccessRate(0.7);
  #isOfModel = false;
  #pause = FIRST_PAUSE;
  #paused = 0; // tokens until the draft model is tried again

  constructor(prompt: ArrayLike<number>, prediction: ArrayLike<number> = []) {
    this.#lookup = new TextLookup(prompt, prediction);
    const expected = prediction.length > 0 ? EXPECTED_OF_PREDICTION : EXPECTED;
    this.#rates = new Map(GUESS_KINDS.map((kind) => [kind, new SuccessRate(expected[kind])]));
  }

  /** Takes the token that came. Guesses of the text are judged whether they were sent or not: that costs nothing. */
  push(token: number): void {
    const { kind } = this.#lookup;
    const right = this.#lookup.push(token);
    if (kind && right !== undefined) this.#rates.get(kind)!.push(right);
    if (this.#paused > 0) this.#paused--;
  }

  /** How likely each of the next guesses from the text is right, if those before it are. */
  *textChances(): Generator<number> {
    if (this.#lookup.kind === undefined) return;
    for (let ahead = 0; ; ahead++) yield this.#rates.get(this.#lookup.kindAhead(ahead))!.value;
  }

  guessFromText(most: number): void {
    this.next = this.#lookup.guess(most);
    this.#isOfModel = false;
  }

  /** The same of a draft model's guesses. */
  *modelChances(): Generator<number> {
    if (this.#paused > 0) return;
    for (;;) yield this.#model.value;
  }

  guessedByModel(tokens: Int32Array): void {
    this.next = tokens;
    this.#isOfModel = true;
  }

  /** The draft model isn't worth its time now: it has its say again after a while. */
  pauseModel(): void {
    if (this.#paused > 0) return;
    this.#paused = this.#pause;
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    this.#model = new SuccessRate(0.3);
  }

  /** Notes that so many guesses were sent to the model. */
  send(count: number): void {
    this.sent += count;
  }

  /** Notes whether the next of them was right. */
  judge(right: boolean): void {
    if (right) this.accepted++;
    if (!this.#isOfModel) return;
    this.#model.push(right);
    if (right && this.#model.value > 0.5) this.#pause = FIRST_PAUSE;
  }

  clear(): void {
    this.next = NONE;
  }
}
