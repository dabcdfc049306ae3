import { bestContinuations } from "./best-continuations.ts";

/** A text on the way: its answer so far, and the sum of its tokens' log-probabilities. */
export interface Beam {
  readonly answer: readonly number[];
  readonly score: number;
}

export interface BeamRules {
  readonly beams: number;
  /** Most tokens of an answer. */
  readonly most: number;
  readonly ends: readonly number[];
  /** A finished answer's score is its sum over its length to this power. */
  readonly lengthPenalty: number;
  /** When to stop: with as many finished as there are beams; when better ones are unlikely; or not before they are impossible. */
  readonly earlyStopping: boolean | "never";
}

/** Less than any sum of log-probabilities: what isn't to be chosen. */
const NEVER = -1e9;

interface Candidate extends Beam {
  readonly ended: boolean;
}

/**
 * The beams of one search, step by step: rules and arithmetic (in 32 bits) of transformers. Needs to be told what the model says
 * after each of `running`.
 */
export class Beams {
  readonly #rules: BeamRules;
  #running: readonly Beam[] = [{ answer: [], score: 0 }];
  #finished: readonly Beam[] = [];
  #canImprove = true;
  #open = true;

  constructor(rules: BeamRules) {
    this.#rules = rules;
  }

  /** The answers to be gone on with; none when the search is over. */
  get running(): readonly Beam[] {
    return this.#open ? this.#running : [];
  }

  /** The finished answers, the best first. */
  get finished(): readonly Beam[] {
    return this.#finished;
  }

  /** Takes the scores of every token after each running beam (log-probabilities, as options changed them); gives the tokens that go on. */
  step(scores: readonly Float32Array[]): readonly number[] {
    const { beams, ends, most, earlyStopping } = this.#rules;
    const length = this.#running[0]!.answer.length + 1;
    const kept = Math.max(2, 1 + ends.length) * beams;
    const candidates = bestContinuations(scores, this.#running, kept).map(({ from, id, score }): Candidate => {
      const answer = [...this.#running[from]!.answer, id];
      return { answer, score, ended: ends.includes(id) || length >= most };
    });
    this.#finish(candidates, length);
    const going = candidates.map(({ answer, score, ended }) => ({ answer, score: ended ? score + NEVER : score }));
    this.#running = going.toSorted(byScore).slice(0, beams);
    this.#canImprove &&= this.#mayImprove(length);
    const full = this.#isFull && earlyStopping === true;
    this.#open = this.#canImprove && !full && !candidates.every(({ ended }) => ended);
    return this.running.map(({ answer }) => answer.at(-1)!);
  }

  get #isFull(): boolean {
    return this.#finished.length >= this.#rules.beams;
  }

  /** Only those among the best count as finished: the others are there so that enough go on. */
  #finish(candidates: readonly Candidate[], length: number): void {
    const { beams, lengthPenalty, earlyStopping } = this.#rules;
    if (!this.#canImprove || (this.#isFull && earlyStopping === true)) return;
    const ended = candidates.slice(0, beams).filter((candidate) => candidate.ended);
    const scored = ended.map(({ answer, score }) => ({ answer, score: Math.fround(score / length ** lengthPenalty) }));
    this.#finished = [...this.#finished, ...scored].sort(byScore).slice(0, beams);
  }

  #mayImprove(length: number): boolean {
    if (!this.#isFull) return true;
    const { lengthPenalty, earlyStopping, most } = this.#rules;
    const hoped = earlyStopping === "never" && lengthPenalty > 0 ? most : length;
    return Math.fround(this.#running[0]!.score / hoped ** lengthPenalty) > this.#finished.at(-1)!.score;
  }
}

const byScore = (a: Beam, b: Beam): number => b.score - a.score;
