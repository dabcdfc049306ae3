import { NativeError } from "@llm/runtime-native";
import { type Limits, OneAtATime, type Row, type RowResult, type Session, SessionError, SlotLedger } from "@llm/target";
import { type Answers, answer } from "./answer.ts";
import type { Card } from "./card.ts";

/** What sessions of both generations share: one call at a time, who holds how much, failures, and answers. */
export abstract class CardSession implements Session {
  readonly specificationVersion = 1;
  readonly limits: Limits;
  protected readonly card: Card;
  protected readonly ledger: SlotLedger;
  readonly #calls = new OneAtATime();

  constructor(card: Card, limits: Limits) {
    this.card = card;
    this.limits = limits;
    this.ledger = new SlotLedger(limits);
  }

  /** Runs rows that were checked; gives what the card says after each one's last tokens, empty where nothing is wanted. */
  protected abstract run(rows: readonly Row[]): Promise<readonly Answers[]>;

  async step(rows: readonly Row[]): Promise<readonly RowResult[]> {
    return this.#calls.run(async () => {
      this.ledger.check(rows);
      let answers: readonly Answers[];
      try {
        answers = await this.run(rows);
      } catch (cause) {
        // Some of what the rows were to replace may be overwritten; where all share their places, all of it.
        for (const { slot } of rows) this.ledger.trim(slot, 0);
        if (!NativeError.isInstance(cause)) throw cause;
        throw new SessionError("device", cause.message, { cause, lost: rows.map(({ slot }) => slot) });
      }
      this.ledger.commit(rows);
      return rows.map(({ want }, i) => (want ? answer(want, answers[i]!, this.limits.vocab) : {}));
    });
  }

  async trim(slot: number, length: number): Promise<void> {
    await this.#calls.run(async () => {
      this.ledger.trim(slot, length);
    });
  }

  async close(): Promise<void> {
    if (!this.#calls.close()) return;
    await this.card.close();
  }
}

/** Room for what each row wants. */
export function roomFor(rows: readonly Row[], { output, vocab }: Card): Answers[] {
  const counts = rows.map(({ want }) => want?.last ?? 0);
  if (output === "next_tokens") return counts.map((count) => new Int32Array(count));
  return counts.map((count) => new Float32Array(count * vocab));
}
