import type { Row, Session } from "../session.ts";
import { type ConformanceContext, must } from "./check.ts";
import { compareAnswer } from "./compare.ts";

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
    const answers = results.map(({ logits, tokens }) => ({
      ...(logits ? { logits: logits.slice() } : {}),
      ...(tokens ? { tokens: tokens.slice() } : {}),
    }));
    for (const { slot, at, tokens } of rows) this.lists[slot] = [...this.lists[slot]!.slice(0, at), ...tokens];
    for (const [i, { slot, want }] of rows.entries())
      if (want) await compareAnswer(this.#context, this.lists[slot]!, want, answers[i]!, vocab);
  }

  async trim(slot: number, length: number): Promise<void> {
    await this.session.trim(slot, length);
    this.lists[slot]!.length = length;
    if (this.total === 0) this.columns = 0;
  }
}
