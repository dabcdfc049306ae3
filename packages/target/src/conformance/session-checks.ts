import { drawToken } from "../draw-token.ts";
import { SessionError } from "../error.ts";
import type { Limits, Row, RowResult, Session, WantKind } from "../session.ts";
import { type Check, dice, must, refusal, withSession } from "./check.ts";
import { comparableWant, mustBeBest } from "./compare.ts";
import { Histories } from "./histories.ts";

const SCHEDULES = { count: 8, steps: 20 };

/** The longest chunk of random schedules: enough for several calls of fixed shapes, little enough for a slow device. */
const MOST_TOKENS = 12;

const stateMachine: Check = {
  name: "random schedules of chunks, idling, rewinds and trims are answered as the oracle does",
  about: "session",
  needsOracle: true,
  async run(context) {
    must(context.oracle !== undefined, () => "there is nothing to compare numbers with");
    const { count, steps } = context.schedules ?? SCHEDULES;
    for (let n = 0; n < count; n++)
      await withSession(context, async (session) => {
        const roll = dice((context.seed ?? 1) * 1000 + n);
        const histories = new Histories(session, context);
        for (let step = 0; step < steps; step++) {
          const rows = session.limits.lockstep ? await lockstepRows(histories, roll) : freeRows(histories, roll);
          if (rows.length > 0) await histories.step(rows);
          if (!session.limits.lockstep && roll(5) === 0) await trimSome(histories, roll);
        }
      });
  },
};

type Dice = (below: number) => number;

function freeRows({ session, lists }: Histories, roll: Dice): Row[] {
  const { slots, context, chunk, rewind, cacheTokens } = session.limits;
  const rows: Row[] = [];
  let total = lists.reduce((sum, { length }) => sum + length, 0);
  for (let slot = 0; slot < slots; slot++) {
    const held = lists[slot]!.length;
    if (roll(3) === 0) continue;
    // A step back reaches at most as far as one that was taken before leaves room for.
    let at = roll(4) === 0 ? held - roll(Math.min(held, Math.floor(rewind / 4)) + 1) : held;
    if (at >= context || roll(20) === 0) at = 0;
    const count = 1 + roll(Math.min(chunk, context - at, MOST_TOKENS));
    if (total + at + count - held > cacheTokens) continue;
    total += at + count - held;
    rows.push(rowOf(slot, at, count, session.limits, roll));
  }
  return rows;
}

async function lockstepRows(histories: Histories, roll: Dice): Promise<Row[]> {
  const { session, lists } = histories;
  const { slots, context } = session.limits;
  const fresh = histories.total === 0;
  if (!fresh && (histories.columns >= context || roll(8) === 0)) {
    for (let slot = 0; slot < slots; slot++) await histories.trim(slot, 0);
    return [];
  }
  const rows: Row[] = [];
  const most = Math.min(context - histories.columns, fresh ? MOST_TOKENS : 1);
  for (let slot = 0; slot < slots; slot++) {
    if (fresh ? roll(4) === 0 : lists[slot]!.length === 0) continue;
    rows.push(rowOf(slot, lists[slot]!.length, 1 + roll(most), session.limits, roll));
  }
  return rows;
}

function rowOf(slot: number, at: number, count: number, limits: Limits, roll: Dice): Row {
  const tokens = Int32Array.from({ length: count }, () => roll(limits.vocab));
  const want = comparableWant(limits);
  return { slot, at, tokens, ...(want && roll(4) > 0 ? { want } : {}) };
}

async function trimSome(histories: Histories, roll: Dice): Promise<void> {
  const { lists, session } = histories;
  const slot = roll(session.limits.slots);
  const held = lists[slot]!.length;
  await histories.trim(
    slot,
    roll(2) === 0 ? 0 : held - roll(Math.min(held, Math.floor(session.limits.rewind / 4)) + 1),
  );
}

/** Calls that must be refused, made from the limits; none where a device has no such limit. */
const FORBIDDEN: readonly {
  readonly what: string;
  readonly code: string;
  call(session: Session): (() => Promise<unknown>) | undefined;
}[] = [
  { what: "a slot past the last", code: "slot", call: (s) => () => s.step([row(s.limits.slots, 0, 1)]) },
  { what: "one slot twice in a step", code: "slot", call: (s) => () => s.step([row(0, 0, 1), row(0, 0, 1)]) },
  { what: "a row past what the slot holds", code: "gap", call: (s) => () => s.step([row(0, 1, 1)]) },
  { what: "a row without tokens", code: "chunk", call: (s) => () => s.step([row(0, 0, 0)]) },
  { what: "a row longer than a chunk", code: "chunk", call: (s) => () => s.step([row(0, 0, s.limits.chunk + 1)]) },
  {
    what: "a token outside the vocabulary",
    code: "token",
    call: (s) => () => s.step([{ slot: 0, at: 0, tokens: Int32Array.of(s.limits.vocab) }]),
  },
  { what: "a trim to more than there is", code: "gap", call: (s) => () => s.trim(0, 1) },
  {
    what: "results for more tokens than the row has",
    code: "want",
    call: (s) =>
      s.limits.wants.includes("logits")
        ? () => s.step([{ ...row(0, 0, 1), want: { kind: "logits", last: 2 } }])
        : undefined,
  },
  {
    what: "a kind of result that isn't given",
    code: "want",
    call: (s) =>
      s.limits.wants.includes("hidden")
        ? undefined
        : () => s.step([{ ...row(0, 0, 1), want: { kind: "hidden", last: 1 } }]),
  },
  {
    what: "an adapter that isn't loaded",
    code: "adapter",
    call: (s) => () => s.step([{ ...row(0, 0, 1), adapter: s.limits.adapters + 1 }]),
  },
  {
    what: "a second start beside a row that is held",
    code: "lockstep",
    call: (s) =>
      s.limits.lockstep && s.limits.slots > 1
        ? async () => {
            await s.step([row(0, 0, 2)]);
            await s.step([row(1, 0, 1)]);
          }
        : undefined,
  },
  {
    what: "going further back than the device can",
    code: "rewind",
    call: (s) =>
      s.limits.rewind + 3 > Math.min(s.limits.context, s.limits.chunk) || s.limits.lockstep
        ? undefined
        : async () => {
            await s.step([row(0, 0, s.limits.rewind + 3)]);
            await s.step([row(0, 1, 1)]);
          },
  },
];

function row(slot: number, at: number, count: number): Row {
  return { slot, at, tokens: new Int32Array(count).fill(1) };
}

const refusals: Check = {
  name: "what the limits don't allow is refused with a SessionError, and changes nothing",
  about: "session",
  async run(context) {
    for (const { what, code, call } of FORBIDDEN)
      await withSession(context, async (session) => {
        const forbidden = call(session);
        if (!forbidden) return;
        const error = await refusal(forbidden, what);
        must(SessionError.isInstance(error), () => `${what} throws ${String(error)}, which is no SessionError`);
        must(error.code === code, () => `${what} is refused as "${error.code}", not "${code}"`);
        if (session.limits.lockstep) return; // what was legal before has started a batch
        const histories = new Histories(session, context);
        const want = comparableWant(session.limits);
        await histories.step([{ ...row(0, 0, 1), ...(want ? { want } : {}) }]);
      });
  },
};

const fullContext: Check = {
  name: "a slot takes exactly as many tokens as its context",
  about: "session",
  async run(context) {
    await withSession(context, async (session) => {
      const { chunk, lockstep } = session.limits;
      const limit = Math.min(session.limits.context, session.limits.cacheTokens);
      const histories = new Histories(session, context);
      const roll = dice(context.seed ?? 1);
      for (let at = 0; at < limit; ) {
        const count = Math.min(chunk, limit - at);
        await histories.step([rowOf(0, at, count, session.limits, roll)]);
        at += count;
      }
      const error = await refusal(() => session.step([row(0, limit, 1)]), "a token past the context");
      must(
        SessionError.isInstance(error) && ["context", "cache"].includes(error.code),
        () => `a token past the context: ${String(error)}`,
      );
      await session.trim(0, 0);
      await session.step([row(lockstep ? 0 : session.limits.slots - 1, 0, 1)]);
    });
  },
};

const wantsWhatItSays: Check = {
  name: "every kind of result that is offered agrees with the logits",
  about: "session",
  async run(context) {
    await withSession(context, async (session) => {
      const { wants, sampling, sampleTopK, vocab, width } = session.limits;
      const history = [1, 0, 1];
      const ask = async (want: NonNullable<Row["want"]>) => {
        await session.trim(0, 0);
        return (await session.step([{ slot: 0, at: 0, tokens: Int32Array.from(history), want }]))[0]!;
      };
      const logits = wants.includes("logits") ? (await ask({ kind: "logits", last: 1 })).logits!.slice() : undefined;
      if (logits)
        must(logits.length === vocab && logits.every(Number.isFinite), () => "logits are missing or not finite");
      const best = logits?.indexOf(logits.reduce((a, b) => Math.max(a, b)));
      if (wants.includes("hidden")) {
        const { hidden } = await ask({ kind: "hidden", last: 1 });
        must(hidden?.length === width, () => `a hidden state of ${hidden?.length} numbers, not ${width}`);
      }
      if (wants.includes("top")) {
        const top = (await ask({ kind: "top", k: 3, last: 1 })).top!;
        must(top.ids.length === 3 && top.logits[0]! >= top.logits[1]!, () => "the best three aren't three in order");
        must(best === undefined || top.ids[0] === best, () => `the best token is ${top.ids[0]}, by the logits ${best}`);
      }
      if (wants.includes("token") && sampling.includes("greedy")) {
        const { tokens } = await ask({ kind: "token", last: 1, sampling: { method: "greedy" } });
        must(
          best === undefined || tokens![0] === best,
          () => `the greedy token is ${tokens![0]}, by the logits ${best}`,
        );
        if (best === undefined && context.oracle)
          mustBeBest(context, tokens![0]!, await context.oracle(history), () => `after ${history.join(" ")}`);
      }
      if (wants.includes("token") && sampling.includes("sample") && logits)
        for (const draw of [0.05, 0.55, 0.95]) {
          const topK = Math.min(8, sampleTopK ?? vocab, vocab);
          const how = { method: "sample", temperature: 0.8, topK, topP: 0.95, random: Float32Array.of(draw) } as const;
          const { tokens } = await ask({ kind: "token", last: 1, sampling: how });
          const weights = logits.map((x) => Math.exp((x - logits[best!]!) / how.temperature));
          const drawn = drawToken(weights, how, draw);
          must(tokens![0] === drawn, () => `the token drawn by ${draw} is ${tokens![0]}, by the logits ${drawn}`);
        }
    });
  },
};

const masks: Check = {
  name: "a mask leaves what it allows, and of nothing nothing",
  about: "session",
  async run(context) {
    await withSession(context, async (session) => {
      const { vocab, wants, sampling, masks: heard = true } = session.limits;
      const step = async (at: number, want: WantKind, allow: Uint32Array): Promise<RowResult> =>
        (await session.step([{ slot: 0, at, tokens: Int32Array.of(at % 2), want: { ...want, last: 1, allow } }]))[0]!;
      const asked: ((at: number, allow: Uint32Array) => Promise<number>)[] = [];
      if (wants.includes("top"))
        asked.push(async (at, allow) => (await step(at, { kind: "top", k: 2 }, allow)).top!.ids[0]!);
      if (wants.includes("token") && sampling.includes("greedy") && heard)
        asked.push(
          async (at, allow) => (await step(at, { kind: "token", sampling: { method: "greedy" } }, allow)).tokens![0]!,
        );
      let at = 0;
      for (const ask of asked) {
        for (const only of [0, vocab >> 1, vocab - 1]) {
          const allow = new Uint32Array(Math.ceil(vocab / 32));
          allow[only >>> 5] = 1 << (only & 31);
          const token = await ask(at++, allow);
          must(token === only, () => `the best token is ${token}, and only ${only} is allowed`);
        }
        const none = await ask(at++, new Uint32Array(Math.ceil(vocab / 32)));
        must(none === -1, () => `the best token is ${none}, and none is allowed: it is to be -1`);
      }
    });
  },
};

const forks: Check = {
  name: "forks happen at once, swaps included",
  about: "session",
  async run(context) {
    await withSession(context, async (session) => {
      const { fork, slots, wants } = session.limits;
      if (fork === "none" || slots < 2 || !wants.includes("logits")) return;
      const histories = new Histories(session, context);
      await histories.step([0, 1].map((slot) => ({ slot, at: 0, tokens: Int32Array.of(slot, 1, slot, 1) })));
      await session.fork!([
        { from: 0, to: 1, length: 4 },
        { from: 1, to: 0, length: 3 },
      ]);
      const [first, second] = [histories.lists[0]!, histories.lists[1]!];
      histories.lists[0] = second.slice(0, 3);
      histories.lists[1] = first;
      await histories.step(
        [0, 1].map((slot) => ({
          slot,
          at: histories.lists[slot]!.length,
          tokens: Int32Array.of(1),
          want: { kind: "logits", last: 1 },
        })),
      );
    });
  },
};

const saving: Check = {
  name: "what is saved can be restored, and damaged bytes are refused",
  about: "session",
  async run(context) {
    await withSession(context, async (session) => {
      const { save, restore } = session;
      if (!save || !restore) return;
      const histories = new Histories(session, context);
      await histories.step([{ slot: 0, at: 0, tokens: Int32Array.of(1, 0, 1, 1) }]);
      const saved = (await session.save!(0)).slice();
      await session.trim(0, 0);
      const length = await session.restore!(0, saved);
      must(length === 4, () => `4 tokens were saved, ${length} restored`);
      const want = comparableWant(session.limits);
      await histories.step([{ slot: 0, at: 4, tokens: Int32Array.of(1), ...(want ? { want } : {}) }]);
      await refusal(() => session.restore!(0, saved.subarray(0, saved.length - 1)), "a saved history that was cut off");
    });
  },
};

const closing: Check = {
  name: "close frees: what comes after is refused, closing twice is not, and a new session opens",
  about: "session",
  async run(context) {
    const session = await context.open!();
    await session.step([row(0, 0, 1)]);
    await session.close();
    await session.close();
    const error = await refusal(() => session.step([row(0, 0, 1)]), "a step after close");
    must(SessionError.isInstance(error) && error.code === "closed", () => `a step after close throws ${String(error)}`);
    await withSession(context, async (again) => void (await again.step([row(0, 0, 1)])));
  },
};

export const sessionChecks: readonly Check[] = [
  stateMachine,
  refusals,
  fullContext,
  wantsWhatItSays,
  masks,
  forks,
  saving,
  closing,
];
