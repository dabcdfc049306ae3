import { drawToken, type Row, type Session, SessionError, type Want } from "@llm/target";
import { conformance } from "@llm/target/conformance";
import { describe, expect, it, test } from "vitest";
import { FakeBmrt, type FakeSizes, fakeOracle } from "../testing/fake-bmrt.ts";
import { Bm1684xSession } from "./bm1684x-session.ts";
import { DeviceBuffers } from "./device-memory.ts";
import { findLayout } from "./find-layout.ts";
import { recognisedRoles } from "./roles.ts";

const sizes: FakeSizes = {
  layers: 3,
  places: 24,
  width: 6,
  vocab: 19,
  style: "new",
  devices: 1,
  greedyHead: true,
  candidates: 6,
};

async function open(given: Partial<FakeSizes> = {}, slots = 3): Promise<{ session: Session; bmrt: FakeBmrt }> {
  const all = { ...sizes, ...given };
  const bmrt = new FakeBmrt(all);
  const nets = await Promise.all(Array.from({ length: all.devices }, (_, device) => bmrt.load(device)));
  return { session: await Bm1684xSession.open(bmrt, findLayout(nets, recognisedRoles, all.vocab), slots), bmrt };
}

const kinds: readonly (readonly [string, Partial<FakeSizes>])[] = [
  ["nets of today", {}],
  ["a head that doesn't choose", { greedyHead: false, candidates: 0 }],
  ["nets that have memory of their own", { ownMemory: true }],
  ["two devices", { devices: 2 }],
  ["three devices", { devices: 3, layers: 4 }],
  ["nets of 2023", { style: "old", greedyHead: false, candidates: 0 }],
];

describe.each(kinds)("conformance of a session with %s", (_, given) => {
  it.each(conformance.filter(({ about }) => about === "session"))("$name", async ({ run }) => {
    await run({
      open: async () => (await open(given)).session,
      oracle: fakeOracle({ ...sizes, ...given }),
      tolerance: 1e-4,
    });
  });
});

const tokens = Int32Array.of(3, 1, 4, 1, 5);
const greedy = { kind: "token", last: 1, sampling: { method: "greedy" } } as const;

/** What the model would say next, again and again. */
function expected(given: Partial<FakeSizes>, count: number): readonly number[] {
  const oracle = fakeOracle({ ...sizes, ...given });
  const history = [...tokens];
  for (let i = 0; i < count; i++) {
    const logits = oracle(history);
    history.push(logits.reduce((best, x, id) => (x > logits[best]! ? id : best), 0));
  }
  return history.slice(tokens.length);
}

test("the only slot's history lies where the nets have it; of several, none does", async () => {
  const own = new Set<number>();
  const bmrt = new FakeBmrt({ ...sizes, ownMemory: true });
  const nets = await bmrt.load(0);
  for (const { inputs } of nets.flatMap(({ stages }) => stages)) for (const { buffer } of inputs) own.add(buffer!);
  const layout = findLayout([nets], recognisedRoles, sizes.vocab);
  const lies = async (slots: number) => {
    const buffers = new DeviceBuffers(bmrt, layout, slots);
    const caches = await Promise.all(Array.from({ length: slots }, (_, slot) => buffers.slot(slot)));
    return caches.flat(2).map(({ buffer }) => own.has(buffer));
  };
  expect(new Set(await lies(1))).toEqual(new Set([true]));
  expect(new Set(await lies(2))).toEqual(new Set([false]));
});

test.each(kinds)("%s: eight greedy tokens are the reference's", async (_, given) => {
  const { session } = await open(given);
  let [result] = await session.step([{ slot: 1, at: 0, tokens, want: greedy }]);
  const made = [result!.tokens![0]!];
  for (let i = 0; i < 7; i++) {
    const row = { slot: 1, at: tokens.length + i, tokens: Int32Array.of(made.at(-1)!), want: greedy };
    [result] = await session.step([row]);
    made.push(result!.tokens![0]!);
  }
  expect(made).toEqual(expected(given, 8));
  await session.close();
});

test("a prompt takes the prompt's nets once, and each token after it one launch a block", async () => {
  const { session, bmrt } = await open({ layers: 2 });
  await session.step([{ slot: 0, at: 0, tokens }]);
  expect(bmrt.launches.splice(0)).toEqual(["0:embedding", "0:block_0", "0:block_1"]);
  await session.step([{ slot: 0, at: 5, tokens: Int32Array.of(1, 2), want: { kind: "logits", last: 1 } }]);
  const token = ["0:embedding", "0:block_cache_0", "0:block_cache_1"];
  expect(bmrt.launches).toEqual([...token, ...token, "0:lm_head"]);
});

test("layers run where they lie", async () => {
  const { session, bmrt } = await open({ devices: 2, layers: 4 });
  await session.step([{ slot: 0, at: 0, tokens, want: greedy }]);
  const blocks = ["0:block_0", "0:block_1", "1:block_2", "1:block_3"];
  expect(bmrt.launches).toEqual(["0:embedding", ...blocks, "1:lm_head", "1:greedy_head"]);
});

test("a failed launch loses the rows of its step and nothing else", async () => {
  const { session, bmrt } = await open();
  const want = { kind: "logits", last: 1 } as const;
  await session.step([0, 1].map((slot) => ({ slot, at: 0, tokens })));
  const before = (await session.step([{ slot: 0, at: 5, tokens: Int32Array.of(2), want }]))[0]!.logits!.slice();
  bmrt.failAt = bmrt.launches.length + 2;
  const error = await session
    .step([{ slot: 1, at: 5, tokens: Int32Array.of(2), want }])
    .catch((thrown: unknown) => thrown);
  expect(SessionError.isInstance(error) && error).toMatchObject({ code: "device", lost: [1] });
  bmrt.failAt = undefined;
  await session.trim(0, 5);
  const after = (await session.step([{ slot: 0, at: 5, tokens: Int32Array.of(2), want }]))[0]!.logits!;
  expect(after).toEqual(before);
  await expect(session.step([{ slot: 1, at: 5, tokens: Int32Array.of(2) }])).rejects.toMatchObject({ code: "gap" });
});

test("tokens that aren't allowed aren't chosen, where there are logits", async () => {
  const { session } = await open();
  const [best] = expected({}, 1);
  const allow = Uint32Array.of(0xffffffff & ~(1 << best!));
  const [result] = await session.step([{ slot: 0, at: 0, tokens, want: { ...greedy, allow } }]);
  expect(result!.tokens![0]).not.toBe(best);
  const old = await open({ style: "old", greedyHead: false, candidates: 0 });
  const asked = old.session.step([{ slot: 0, at: 0, tokens, want: { ...greedy, allow } }]);
  await expect(asked).rejects.toMatchObject({ code: "want" });
});

describe("a token that is drawn", () => {
  const draw = (topK: number, random: number, allow?: Uint32Array): Want => ({
    kind: "token",
    last: 1,
    sampling: { method: "sample", temperature: 0.7, topK, topP: 0.95, random: Float32Array.of(random) },
    ...(allow ? { allow } : {}),
  });

  /** Of the reference's logits, plainly. */
  function drawn(topK: number, random: number, allowed: (id: number) => boolean = () => true): number {
    const logits = fakeOracle(sizes)([...tokens]).map((x, id) => (allowed(id) ? x : Number.NEGATIVE_INFINITY));
    return drawToken(
      logits.map((x) => Math.exp(x / 0.7)),
      { method: "sample", topK, topP: 0.95 },
      random,
    );
  }

  test("is drawn from the candidates, without the logits being read", async () => {
    const { session, bmrt } = await open();
    expect(session.limits).toMatchObject({ sampling: ["greedy", "sample"], sampleTopK: 5 });
    for (const random of [0, 0.3, 0.6, 0.9, 0.999]) {
      const [result] = await session.step([{ slot: 0, at: 0, tokens, want: draw(5, random) }]);
      expect(result!.tokens).toEqual(Int32Array.of(drawn(5, random)));
    }
    expect(bmrt.launches.slice(-2)).toEqual(["0:lm_head", "0:sample_head"]);
    await expect(session.step([{ slot: 0, at: 0, tokens, want: draw(6, 0.5) }])).rejects.toThrow(/1 to 5 best/);
  });

  test("is one for each of a row's last, by its own random number", async () => {
    const { session } = await open({ devices: 3 });
    const want = { ...draw(5, 0), last: 3 } as Want & { kind: "token" };
    const sampling = { ...want.sampling, random: Float32Array.of(0.2, 0.9, 0.6) };
    const row: Row = { slot: 0, at: 0, tokens: Int32Array.of(3, 1, 4, 1, 5), want: { ...want, sampling } };
    const [whole] = await session.step([row]);
    await session.step([{ slot: 0, at: 0, tokens: Int32Array.of(3, 1) }]);
    const [byToken] = await session.step([{ ...row, at: 2, tokens: Int32Array.of(4, 1, 5) }]);
    expect(byToken!.tokens).toEqual(whole!.tokens);
    expect(whole!.tokens![2]).toBe(drawn(5, 0.6));
  });

  test("is drawn from logits where only some are allowed", async () => {
    const { session } = await open();
    const allowed = (id: number) => id % 2 === 0;
    const allow = Uint32Array.of(0x55555555);
    for (const random of [0, 0.5, 0.99]) {
      const [result] = await session.step([{ slot: 0, at: 0, tokens, want: draw(4, random, allow) }]);
      expect(result!.tokens).toEqual(Int32Array.of(drawn(4, random, allowed)));
    }
  });

  test("is the best one where the temperature is 0", async () => {
    const { session } = await open();
    const want = { kind: "token", last: 1, sampling: { method: "sample", temperature: 0, topK: 3 } } as const;
    const [result] = await session.step([{ slot: 0, at: 0, tokens, want }]);
    expect([...result!.tokens!]).toEqual(expected({}, 1));
  });
});

test.each([
  ["no head", (name: string) => name !== "lm_head", /no lm_head/],
  ["a gap in its blocks", (name: string) => name !== "block_cache_1", /no block_cache_1/],
  ["no blocks", (name: string) => !name.startsWith("block"), /no block_cache_0/],
] as const)("a bmodel with %s is refused", async (_, keep, message) => {
  const nets = (await new FakeBmrt(sizes).load(0)).filter(({ name }) => keep(name));
  expect(() => findLayout([nets], recognisedRoles)).toThrow(message);
});
