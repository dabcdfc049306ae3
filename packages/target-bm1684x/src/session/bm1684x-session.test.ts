import { type Session, SessionError } from "@llm/target";
import { conformance } from "@llm/target/conformance";
import { describe, expect, it, test } from "vitest";
import { FakeBmrt, type FakeSizes, fakeOracle } from "../testing/fake-bmrt.ts";
import { Bm1684xSession } from "./bm1684x-session.ts";
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
};

async function open(given: Partial<FakeSizes> = {}, slots = 3): Promise<{ session: Session; bmrt: FakeBmrt }> {
  const all = { ...sizes, ...given };
  const bmrt = new FakeBmrt(all);
  const nets = await Promise.all(Array.from({ length: all.devices }, (_, device) => bmrt.load(device)));
  return { session: await Bm1684xSession.open(bmrt, findLayout(nets, recognisedRoles, all.vocab), slots), bmrt };
}

const kinds: readonly (readonly [string, Partial<FakeSizes>])[] = [
  ["nets of today", {}],
  ["a head that doesn't choose", { greedyHead: false }],
  ["two devices", { devices: 2 }],
  ["three devices", { devices: 3, layers: 4 }],
  ["nets of 2023", { style: "old", greedyHead: false }],
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
  const old = await open({ style: "old", greedyHead: false });
  const asked = old.session.step([{ slot: 0, at: 0, tokens, want: { ...greedy, allow } }]);
  await expect(asked).rejects.toMatchObject({ code: "want" });
});

test.each([
  ["no head", (name: string) => name !== "lm_head", /no lm_head/],
  ["a gap in its blocks", (name: string) => name !== "block_cache_1", /no block_cache_1/],
  ["no blocks", (name: string) => !name.startsWith("block"), /no block_cache_0/],
] as const)("a bmodel with %s is refused", async (_, keep, message) => {
  const nets = (await new FakeBmrt(sizes).load(0)).filter(({ name }) => keep(name));
  expect(() => findLayout([nets], recognisedRoles)).toThrow(message);
});
