import { type Row, type Session, SessionError } from "@llm/target";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openModel } from "../open.ts";
import { type BuiltGolden, buildGolden } from "../testing/open-golden.ts";
import { goldenReference } from "../testing/reference.ts";
import { CpuSession } from "./cpu-session.ts";
import { KvCache } from "./kv-cache.ts";

const SLOTS = 3;
const CONTEXT = 40;

async function open(
  { artefact }: BuiltGolden,
  { chunk = 16, context = CONTEXT, atOnce = 16 } = {},
): Promise<CpuSession> {
  const model = await openModel(`${artefact.folder}/decoder.onnx`, { threads: 1 });
  return new CpuSession(model, artefact.manifest.model.width, {
    slots: SLOTS,
    context,
    chunk,
    atOnce: () => atOnce,
    cacheFill: Number.NaN,
  });
}

/** Random numbers below `n`, the same every time. */
function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => (state = (state * 48271) % 2147483647) % n;
}

// One each of: one key head, ALiBi, a window, rotary with fewer key heads, a latent cache.
describe.each(["gpt_bigcode_mqa", "bloom", "mistral_swa", "llama_gqa_llama3", "deepseek_v2"])("%s", (name) => {
  test.each([16, 4])(
    "chunks, %i tokens at once, idle rows, rewinds and forks in any order give what the reference gives",
    async (atOnce) => {
      using built = await buildGolden(name);
      const session = await open(built, { atOnce });
      const reference = await goldenReference(name, built.graph, { slots: SLOTS, context: CONTEXT });
      const roll = dice(17);
      const held: number[][] = Array.from({ length: SLOTS }, () => []);
      for (let round = 0; round < 25; round++) {
        if (roll(5) === 0) {
          const [from, to] = [roll(SLOTS), roll(SLOTS)];
          const length = roll(held[from]!.length + 1);
          await session.fork([{ from, to, length }]);
          held[to] = held[from]!.slice(0, length);
          // The reference can't copy: it reads the history anew.
          if (length > 0) reference.step([{ slot: to, at: 0, tokens: held[to]! }]);
        }
        const rows: Row[] = [];
        for (let slot = 0; slot < SLOTS; slot++) {
          if (roll(3) === 0) continue;
          const back = roll(4) === 0 ? roll(held[slot]!.length + 1) : 0;
          const at = held[slot]!.length - back;
          const count = Math.min(roll(2) === 0 ? 1 : 1 + roll(12), CONTEXT - at);
          if (count < 1) continue;
          const tokens = Int32Array.from({ length: count }, () => roll(session.limits.vocab));
          held[slot] = [...held[slot]!.slice(0, at), ...tokens];
          rows.push({ slot, at, tokens, reach: at + count, want: { kind: "logits", last: count } });
        }
        if (rows.length === 0) continue;
        const results = await session.step(rows);
        const expected = reference.step(rows.map((row) => ({ ...row, last: row.tokens.length })));
        results.forEach(({ logits }, i) => {
          const worst = logits!.reduce((most, x, j) => Math.max(most, Math.abs(x - expected[i]!.logits[j]!)), 0);
          expect(worst).toBeLessThan(1e-4);
        });
      }
      await session.close();
    },
  );
});

describe("a session", () => {
  let built: BuiltGolden;
  let session: Session;
  beforeAll(async () => {
    built = await buildGolden("gpt_bigcode_mqa");
    session = await open(built);
  });
  afterAll(async () => {
    await session.close();
    built[Symbol.dispose]();
  });

  const tokens = Int32Array.of(1, 2, 3);

  test("answers nothing for rows that want nothing, and refuses what its limits don't allow", async () => {
    expect(await session.step([{ slot: 0, at: 0, tokens }])).toEqual([{}]);
    await expect(session.step([{ slot: 0, at: 9, tokens }])).rejects.toMatchObject({ code: "gap" });
    await expect(session.step([{ slot: SLOTS, at: 0, tokens }])).rejects.toMatchObject({ code: "slot" });
    const long = new Int32Array(17);
    await expect(session.step([{ slot: 0, at: 0, tokens: long }])).rejects.toMatchObject({ code: "chunk" });
    await session.trim(0, 0);
  });

  test("takes one call at a time", async () => {
    const first = session.step([{ slot: 0, at: 0, tokens }]);
    await expect(session.step([{ slot: 1, at: 0, tokens }])).rejects.toMatchObject({ code: "busy" });
    await first;
    await session.trim(0, 0);
  });

  test("a full slot is left alone while others go on, where the model has no position after its last", async () => {
    const { context } = built.artefact.manifest.model;
    const full = await open(built, { context });
    const want = { kind: "logits", last: 1 } as const;
    const one = (slot: number, at: number): Row => ({ slot, at, tokens: Int32Array.of(5), want });
    for (let at = 0; at < context; at += 8) await full.step([{ slot: 1, at, tokens: new Int32Array(8).fill(at) }]);
    const [before] = await full.step([one(1, context - 1)]);
    const kept = before!.logits!.slice();
    for (let at = 0; at < 4; at++) await full.step([one(0, at), one(2, at)]);
    const [after] = await full.step([one(1, context - 1)]);
    expect(after!.logits).toEqual(kept);
    await full.close();
  });

  test("holds nothing that memory couldn't be had for", async () => {
    const other = await open(built);
    await other.step([{ slot: 0, at: 0, tokens }]);
    const saved = await other.save(0);
    const refusal = new SessionError("cache", "the system gives no memory");
    const refuse = () => {
      throw refusal;
    };
    vi.spyOn(KvCache.prototype, "reserve").mockImplementationOnce(refuse);
    await expect(other.restore(1, saved)).rejects.toBe(refusal);
    vi.spyOn(KvCache.prototype, "copy").mockImplementationOnce(refuse);
    await expect(other.fork([{ from: 0, to: 2, length: 3 }])).rejects.toBe(refusal);
    for (const slot of [1, 2])
      await expect(other.step([{ slot, at: 3, tokens }])).rejects.toThrow(`slot ${slot} holds 0 tokens`);
    await other.close();
  });

  test("a closed one says so", async () => {
    const other = await open(built);
    await other.close();
    await other.close();
    const refused = await other.step([{ slot: 0, at: 0, tokens }]).catch((error: unknown) => error);
    expect(SessionError.isInstance(refused) && refused.code).toBe("closed");
  });
});
