import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Row, Session } from "../session.ts";
import { NULL_DEVICES, nullLogits, openNull } from "./index.ts";

const VOCAB = 17;
const sizes = { slots: 3, context: 40, prompt: 5, vocab: VOCAB, width: 4 };

/** Plain lists of tokens, and the legal moves that a schedule of numbers picks. */
class Oracle {
  readonly session: Session;
  readonly histories: number[][];
  readonly #next: (below: number) => number;

  constructor(session: Session, choices: readonly number[]) {
    this.session = session;
    this.histories = Array.from({ length: session.limits.slots }, () => []);
    let at = 0;
    this.#next = (below) => (choices[at++ % choices.length]! >>> 0) % below;
  }

  async step(): Promise<void> {
    const { limits } = this.session;
    const fresh = limits.lockstep && this.histories.every((h) => h.length === 0);
    if (limits.lockstep && (this.#next(9) === 0 || this.#column() >= limits.context)) {
      for (let slot = 0; slot < limits.slots; slot++) await this.#trim(slot, 0);
      return;
    }
    if (limits.fork !== "none" && this.#next(5) === 0) return this.#fork();
    const rows: Row[] = [];
    for (let slot = 0; slot < limits.slots; slot++) {
      const history = this.histories[slot]!;
      if (limits.lockstep ? !fresh && history.length === 0 : this.#next(3) === 0) continue;
      let at = history.length;
      if (!limits.lockstep && this.#next(4) === 0) at = this.#next(at + 1);
      if (at === limits.context) at = limits.lockstep ? at : 0;
      const most = Math.min(limits.chunk, limits.context - (limits.lockstep ? this.#column() : at), 7);
      const tokens = Int32Array.from({ length: 1 + this.#next(most) }, () => this.#next(VOCAB));
      rows.push({ slot, at, tokens, want: { kind: "logits", last: 1 + this.#next(tokens.length) } });
    }
    if (rows.length === 0) return;
    if (limits.lockstep) this.#columns = this.#column() + Math.max(...rows.map(({ tokens }) => tokens.length));
    const results = await this.session.step(rows);
    rows.forEach(({ slot, at, tokens, want }, i) => {
      const history = [...this.histories[slot]!.slice(0, at), ...tokens];
      this.histories[slot] = history;
      for (let back = 0; back < want!.last; back++) {
        const end = (want!.last - back) * VOCAB;
        const got = results[i]!.logits!.subarray(end - VOCAB, end);
        expect(got).toEqual(nullLogits(history.slice(0, history.length - back), VOCAB));
      }
    });
  }

  #columns = 0;
  #column(): number {
    return this.histories.every((h) => h.length === 0) ? 0 : this.#columns;
  }

  async #trim(slot: number, length: number): Promise<void> {
    await this.session.trim(slot, length);
    this.histories[slot]!.length = length;
  }

  async #fork(): Promise<void> {
    const slots = this.histories.map((_, slot) => slot);
    const moves = slots.map((to) => {
      const from = this.#next(slots.length);
      return { from, to, length: this.#next(this.histories[from]!.length + 1) };
    });
    const total = moves.reduce((sum, { length }) => sum + length, 0);
    if (total > this.session.limits.cacheTokens) return;
    await this.session.fork!(moves);
    const before = this.histories.map((h) => [...h]);
    for (const { from, to, length } of moves) this.histories[to] = before[from]!.slice(0, length);
  }
}

describe.each(NULL_DEVICES)("null session like %s", (like) => {
  it("answers every legal schedule as the definition does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 50, maxLength: 400 }), async (choices) => {
        const session = openNull({ like, ...sizes, limits: { cacheTokens: sizes.slots * sizes.context } });
        const oracle = new Oracle(session, choices);
        for (let n = 0; n < 25; n++) await oracle.step();
        await session.close();
      }),
      { numRuns: 60 },
    );
  });

  it("refuses a call while another one isn't answered, and any after it is closed", async () => {
    const session = openNull({ like, ...sizes });
    const first = session.step([{ slot: 0, at: 0, tokens: Int32Array.of(1) }]);
    await expect(session.trim(0, 0)).rejects.toMatchObject({ code: "busy" });
    await first;
    await session.close();
    await expect(session.step([])).rejects.toMatchObject({ code: "closed" });
  });
});

describe("forms that are used wrongly say something else", () => {
  it("scatter without a batch index loses its last position to absent rows", async () => {
    const { ScatterForm } = await import("./forms/scatter.ts");
    const form = new ScatterForm({ slots: 2, prefill: 4, decode: 1, batchIndex: false }, 4);
    const want = { kind: "logits", last: 1 } as const;
    form.run([{ slot: 0, at: 0, tokens: Int32Array.of(1, 2, 3, 4) }]);
    const alone = form.run([{ slot: 0, at: 3, tokens: Int32Array.of(4), want }]);
    form.run([{ slot: 1, at: 0, tokens: Int32Array.of(1, 2, 3), want }]);
    const after = form.run([{ slot: 0, at: 2, tokens: Int32Array.of(3), want }]);
    const whole = form.run([{ slot: 0, at: 3, tokens: Int32Array.of(4), want }]);
    expect(whole[0]![0]).toBe(alone[0]![0]); // written anew, so right again
    expect(after[0]![0]).not.toBe(whole[0]![0]);
  });

  it("append makes a row that sits out see what was never its own", async () => {
    const { AppendForm } = await import("./forms/append.ts");
    const idle = new AppendForm(2, 8);
    const both = [0, 1].map((slot) => ({ slot, at: 0, tokens: Int32Array.of(5, 6) }));
    idle.run(both);
    idle.run([{ slot: 0, at: 2, tokens: Int32Array.of(7) }]);
    const late = idle.run([{ slot: 1, at: 2, tokens: Int32Array.of(7) }])[0]!;
    const together = new AppendForm(2, 8);
    together.run(both);
    const right = together.run([0, 1].map((slot) => ({ slot, at: 2, tokens: Int32Array.of(7) })))[1]!;
    expect(late[0]).not.toBe(right[0]);
  });
});
