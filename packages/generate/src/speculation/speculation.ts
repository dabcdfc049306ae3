import type { Limits } from "@llm/target";
import type { Sequence } from "../scheduler/sequence.ts";
import { draftLength } from "./draft-length.ts";
import type { DraftModel } from "./draft-model.ts";
import { StepCosts } from "./step-costs.ts";

/** The longest row of a step that guesses. */
const LONGEST = 32;

/**
 * Says several tokens in one step: what comes next is guessed, and the model judges all guesses at once. Every token is chosen
 * as it would be without, by the same options and the same draw, and a guess only counts where it is that token: so the text
 * is the same, and so is the distribution that it is drawn from. How many are guessed follows from how often guesses were
 * right and what longer steps cost, both measured as it goes: none, where it doesn't pay.
 */
export class Speculation {
  readonly costs: StepCosts;
  readonly #limits: Limits;
  #model: DraftModel | undefined;
  /** Why the draft model is no longer asked, if it failed: generation goes on without it. */
  modelFailure: unknown;

  constructor(limits: Limits, model?: DraftModel) {
    this.#limits = limits;
    this.#model = model;
    this.costs = new StepCosts(limits.verify);
  }

  /** Whether a device can do it at all: it must go back over wrong guesses, and its histories not depend on how they came. */
  static fits({ lockstep, reach, rewind, chunk }: Limits): boolean {
    return !lockstep && !reach && rewind > 0 && chunk > 1;
  }

  /** Guesses for all that have one token to go on from. */
  async guess(running: readonly Sequence[]): Promise<void> {
    for (const { drafts } of running) drafts?.clear();
    const decoding = running.filter(({ pending, finished }) => pending === 1 && !finished);
    // What longer steps bring is held against a plain one, so there must have been one lately.
    if (!this.costs.knows(decoding.length)) return;
    const asked: { readonly sequence: Sequence; readonly count: number }[] = [];
    for (const sequence of decoding) {
      const { drafts } = sequence;
      const most = this.#most(sequence);
      if (!drafts || most < 1) continue;
      const common = { most, rows: decoding.length, costs: this.costs };
      const count = draftLength({ ...common, chances: drafts.textChances() });
      if (count > 0) {
        drafts.guessFromText(count);
        this.#cut(sequence);
      } else if (this.#model) {
        const plainMs = Math.max(this.costs.plainMs(decoding.length)!, Number.MIN_VALUE);
        const perToken = this.#model.msPerToken / plainMs;
        const wanted = draftLength({ ...common, chances: drafts.modelChances(), perToken });
        if (wanted > 0) asked.push({ sequence, count: wanted });
        else drafts.pauseModel();
      }
    }
    if (asked.length === 0) return;
    try {
      const guesses = await this.#model!.draft(asked);
      for (const [i, { sequence }] of asked.entries()) {
        const guess = guesses[i];
        if (!guess) continue; // still reading
        sequence.drafts!.guessedByModel(guess);
        if (guess.length === 0) sequence.drafts!.pauseModel();
        this.#cut(sequence);
      }
    } catch (error) {
      this.modelFailure = error;
      await this.#model!.close();
      this.#model = undefined;
    }
  }

  /** The sequence needs no guesses for now. */
  forget(sequence: Sequence): void {
    sequence.drafts?.clear();
    this.#model?.forget(sequence);
  }

  async close(): Promise<void> {
    await this.#model?.close();
  }

  /** Most tokens to guess: there must be room for them, for the token that follows them, and a way back. */
  #most(sequence: Sequence): number {
    const { chunk, rewind } = this.#limits;
    return Math.min(LONGEST, chunk, rewind + 1, sequence.left) - 1;
  }

  /** Leaves out what the answer's form rules out. */
  #cut({ drafts, request, generated }: Sequence): void {
    const { next } = drafts!;
    if (request.viable && next.length > 0) drafts!.next = next.subarray(0, request.viable(generated, next));
  }
}
