import type { Beam, BeamRules } from "./beams.ts";
import { bestContinuations } from "./best-continuations.ts";

/**
 * One group of a diverse beam search. transformers has rules of their own for these: texts that reach their end count as soon as
 * they are among the best, those that are cut short only when all is over, and sums are divided in 64 bits.
 */
export class GroupBeams {
  readonly #rules: BeamRules;
  #running: readonly Beam[] = [{ answer: [], score: 0 }];
  #finished: readonly Beam[] = [];
  #done = false;

  constructor(rules: BeamRules) {
    this.#rules = rules;
  }

  /** The answers to be gone on with; none when the group is done. */
  get running(): readonly Beam[] {
    return this.#done ? [] : this.#running;
  }

  /** The finished answers, the best first. */
  get finished(): readonly Beam[] {
    return this.#finished;
  }

  /** Takes the scores of every token after each running beam; gives the tokens that go on. */
  step(scores: readonly Float32Array[]): readonly number[] {
    const { beams, ends, most } = this.#rules;
    const length = this.#running[0]!.answer.length + 1;
    const candidates = bestContinuations(scores, this.#running, Math.max(2, 1 + ends.length) * beams);
    const going: Beam[] = [];
    for (const [rank, { from, id, score }] of candidates.entries()) {
      const answer = [...this.#running[from]!.answer, id];
      if (!ends.includes(id)) going.push({ answer, score });
      else if (rank < beams) this.#finish({ answer, score });
      if (going.length === beams) break;
    }
    this.#running = going;
    this.#done = going.length === 0 || this.#isBest(candidates[0]!.score, length);
    if (!this.#done && length >= most) {
      for (const beam of going) this.#finish(beam);
      this.#done = true;
    }
    return going.map(({ answer }) => answer.at(-1)!);
  }

  #finish({ answer, score }: Beam): void {
    const beam = { answer, score: score / answer.length ** this.#rules.lengthPenalty };
    this.#finished = [...this.#finished, beam].sort((a, b) => b.score - a.score).slice(0, this.#rules.beams);
  }

  /** Whether nothing that goes on is expected to become one of the best. */
  #isBest(bestSum: number, length: number): boolean {
    const { beams, earlyStopping, lengthPenalty, most } = this.#rules;
    if (this.#finished.length < beams) return false;
    if (earlyStopping === true) return true;
    const hoped = earlyStopping === "never" && lengthPenalty > 0 ? most : length;
    return this.#finished.at(-1)!.score >= bestSum / hoped ** lengthPenalty;
  }
}
