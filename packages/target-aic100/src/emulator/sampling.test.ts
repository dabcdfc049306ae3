import { type DeviceSampling, drawToken, type Row, type Session } from "@llm/target";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Aic100Options } from "../options.ts";
import { type BuiltGolden, buildGolden, EMULATED } from "../testing/build-golden.ts";
import { openEmulator } from "./open-emulator.ts";

const CONTEXT = 32;
const SLOTS = 3;
const CANDIDATES = 40;

/** A sequence's next row, in a slot: so many tokens, of which the last so many get an answer. */
interface Turn {
  readonly slot: number;
  readonly fresh: boolean;
  readonly back: number;
  readonly tokens: readonly number[];
  readonly answers: number;
  readonly sampling: Required<Omit<DeviceSampling, "random" | "method" | "answerFrom">>;
  readonly answerBack: number;
  readonly random: readonly number[];
  readonly allowed: readonly number[] | undefined;
}

const turn: fc.Arbitrary<Turn> = fc.record({
  slot: fc.nat(SLOTS - 1),
  fresh: fc.boolean(),
  back: fc.nat(3),
  tokens: fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }),
  answers: fc.integer({ min: 1, max: 2 }),
  sampling: fc.record({
    temperature: fc.constantFrom(0.6, 1, 2.5),
    topK: fc.integer({ min: 1, max: CANDIDATES }),
    topP: fc.constantFrom(0.61, 0.93, 1),
    minP: fc.constantFrom(0, 0.05),
    repetitionPenalty: fc.constantFrom(1, 1.3, 0.8),
    presencePenalty: fc.constantFrom(0, 0.9, -0.4),
  }),
  answerBack: fc.nat(6),
  random: fc.array(
    fc.integer({ min: 0, max: 999 }).map((n) => (n + 0.37) / 1000),
    { minLength: 2, maxLength: 2 },
  ),
  allowed: fc.option(fc.uniqueArray(fc.nat(303), { minLength: 60, maxLength: 90 }), { nil: undefined }),
});

describe.each<[string, Partial<Aic100Options>]>([
  ["gpt2", { fullBatchSize: SLOTS }],
  ["mistral_swa", { batchSize: SLOTS }],
])("%s %j, choosing tokens on the card", (golden, options) => {
  const built: BuiltGolden[] = [];
  let plain: Session;
  let choosing: Session;

  beforeAll(async () => {
    const open = async (more: Partial<Aic100Options>): Promise<Session> => {
      const one = await buildGolden(golden, { promptLen: 4, ctxLen: CONTEXT, ...options, ...more });
      built.push(one);
      return openEmulator(one.artefact, EMULATED, { fill: Number.NaN });
    };
    plain = await open({});
    choosing = await open({ onDeviceSampling: true, includeGuidedDecoding: true, maxTopKIds: CANDIDATES });
  });
  afterAll(async () => {
    await plain.close();
    await choosing.close();
    for (const one of built) one[Symbol.dispose]();
  });

  test("says that it gives tokens, and what it can be asked", () => {
    expect(choosing.limits).toMatchObject({
      vocab: plain.limits.vocab,
      wants: ["token"],
      sampling: ["greedy", "sample"],
      sampleTopK: CANDIDATES,
      samplePenalties: ["repetition", "presence"],
      masks: true,
    });
  });

  test("gives what the same options choose from logits, whatever came before and however it came", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 12 }), async (turns) => {
        const held: number[][] = Array.from({ length: SLOTS }, () => []);
        for (const session of [plain, choosing]) for (let slot = 0; slot < SLOTS; slot++) await session.trim(slot, 0);
        for (const one of turns) {
          // A ring doesn't go back far.
          const goesBack = choosing.limits.rewind === choosing.limits.context;
          const row = rowOf(goesBack ? one : { ...one, back: 0 }, held[one.slot]!);
          const [answer] = await choosing.step([row]);
          held[one.slot] = [...held[one.slot]!.slice(0, row.at), ...row.tokens];
          const last = row.want!.last;
          const [reference] = await plain.step([{ ...row, want: { kind: "logits", last } }]);
          const { vocab } = plain.limits;
          for (let i = 0; i < last; i++) {
            const history = held[one.slot]!.slice(0, held[one.slot]!.length - (last - 1 - i));
            const logits = reference!.logits!.subarray(i * vocab, (i + 1) * vocab);
            expect(answer!.tokens![i]).toBe(expectedToken(logits, history, row, i));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("refuses more candidates than there are", async () => {
    const step = choosing.step([
      {
        slot: 0,
        at: 0,
        tokens: Int32Array.of(1),
        want: { kind: "token", last: 1, sampling: { method: "sample", topK: CANDIDATES + 1 } },
      },
    ]);
    await expect(step).rejects.toMatchObject({ code: "want" });
  });
});

function rowOf(
  { slot, fresh, back, tokens, answers, sampling, answerBack, random, allowed }: Turn,
  held: readonly number[],
): Row {
  const isFull = held.length + tokens.length > CONTEXT - 1;
  const at = fresh || isFull ? 0 : Math.max(0, held.length - back);
  const last = Math.min(answers, tokens.length);
  const end = at + tokens.length;
  return {
    slot,
    at,
    tokens: Int32Array.from(tokens),
    want: {
      kind: "token",
      last,
      sampling: {
        method: "sample",
        ...sampling,
        answerFrom: Math.max(0, end - answerBack),
        random: Float32Array.from(random.slice(0, last)),
      },
      ...(allowed ? { allow: maskOf(allowed) } : {}),
    },
  };
}

function maskOf(ids: readonly number[]): Uint32Array {
  const mask = new Uint32Array(10);
  for (const id of ids) mask[id >>> 5]! |= 1 << (id & 31);
  return mask;
}

/** By plain arithmetic on the whole vocabulary. */
function expectedToken(logits: Float32Array, history: readonly number[], { want }: Row, at: number): number {
  if (want?.kind !== "token") throw new TypeError("the row wants no token");
  const { repetitionPenalty = 1, presencePenalty = 0, answerFrom = 0, temperature = 1, random } = want.sampling;
  const scores = logits.map((score, id) => {
    if (want.allow && !((want.allow[id >>> 5]! >>> (id & 31)) & 1)) return Number.NEGATIVE_INFINITY;
    let own = score;
    if (history.includes(id)) own = own < 0 ? own * repetitionPenalty : own / repetitionPenalty;
    return history.includes(id, answerFrom) ? own - presencePenalty : own;
  });
  const best = scores.reduce((most, score) => Math.max(most, score));
  const weights = scores.map((score) => Math.exp((score - best) / temperature));
  return drawToken(weights, want.sampling, random![at]!);
}
