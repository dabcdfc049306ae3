import type { Row, Session } from "../session.ts";
import { type ConformanceContext, must } from "./check.ts";

const DEFAULT_TOLERANCE = 1e-3;

/** Plain lists of what the slots should hold, beside a session that is checked against them. */
export class Histories {
  readonly session: Session;
  readonly lists: number[][];
  readonly #context: ConformanceContext;
  /** Lockstep: columns in use, padding included. */
  columns = 0;

  constructor(session: Session, context: ConformanceContext) {
    this.session = session;
    this.#context = context;
    this.lists = Array.from({ length: session.limits.slots }, () => []);
  }

  get total(): number {
    return this.lists.reduce((sum, { length }) => sum + length, 0);
  }

  async step(rows: readonly Row[]): Promise<void> {
    const { lockstep, vocab } = this.session.limits;
    if (lockstep) {
      const starts = rows.every(({ at }) => at === 0);
      this.columns = (starts ? 0 : this.columns) + Math.max(...rows.map(({ tokens }) => tokens.length));
    }
    const results = await this.session.step(rows);
    must(results.length === rows.length, () => `${results.length} results for ${rows.length} rows`);
    // Results may be views that the next call overwrites.
    const logits = results.map((result) => result.logits?.slice());
    for (const { slot, at, tokens } of rows) this.lists[slot] = [...this.lists[slot]!.slice(0, at), ...tokens];
    for (const [i, { slot, want }] of rows.entries()) {
      if (want?.kind !== "logits") continue;
      const got = logits[i];
      must(
        got?.length === want.last * vocab,
        () => `${got?.length ?? 0} logits for ${want.last} tokens of a vocabulary of ${vocab}`,
      );
      await this.#compare(this.lists[slot]!, want.last, got);
    }
  }

  async trim(slot: number, length: number): Promise<void> {
    await this.session.trim(slot, length);
    this.lists[slot]!.length = length;
    if (this.total === 0) this.columns = 0;
  }

  async #compare(history: readonly number[], last: number, got: Float32Array): Promise<void> {
    const { oracle, tolerance = DEFAULT_TOLERANCE } = this.#context;
    if (!oracle) return;
    const { vocab } = this.session.limits;
    for (let i = 0; i < last; i++) {
      const until = history.slice(0, history.length - last + 1 + i);
      const expected = await oracle(until);
      let worst = 0;
      for (let v = 0; v < vocab; v++) {
        const off = Math.abs(got[i * vocab + v]! - expected[v]!);
        worst = Math.max(worst, Number.isNaN(off) ? Infinity : off);
      }
      must(worst <= tolerance, () => `after ${until.length} tokens (${until.join(" ")}) logits are off by ${worst}`);
    }
  }
}
