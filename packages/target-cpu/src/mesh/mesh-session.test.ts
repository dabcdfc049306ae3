import { createHash } from "node:crypto";
import { readOnnx } from "@llm/exporter";
import { readGolden } from "@llm/fixtures";
import type { Row, SessionError } from "@llm/target";
import { DEFAULT_WORK, planMesh, toMesh } from "@llm/target/mesh";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { cpuTarget } from "../cpu-target.ts";
import { answerIn, apart } from "../testing/mesh-answers.ts";
import { type BuiltGolden, buildGolden, DEFAULTS } from "../testing/open-golden.ts";
import { describeCpu } from "./describe.ts";
import type { MeshSession } from "./mesh-session.ts";
import { netFile, readSchedule } from "./open-mesh.ts";

const NAME = "llama_gqa_llama3";
const { prompts } = readGolden(NAME);
const options = { ...DEFAULTS, mesh: "2x2", batchSize: 4, ctxLen: 48 };

let built: BuiltGolden;
beforeAll(async () => {
  built = await buildGolden(NAME, { options });
});
afterAll(() => built[Symbol.dispose]());

const open = async (more: object = {}) =>
  (await cpuTarget.open(built.artefact, { ...options, ...more })) as MeshSession;

const ids = Int32Array.from(prompts[0]!.input_ids);
const prefill = (slot: number): Row => ({ slot, at: 0, tokens: ids, want: { kind: "logits", last: 1 } });
const next = (slot: number): Row => ({
  slot,
  at: ids.length,
  tokens: Int32Array.of(7),
  want: { kind: "logits", last: 1 },
});

describe("replicas", () => {
  test("answer a step together, each its own slots, and copy histories to one another", async () => {
    const session = await open();
    expect(session.limits).toMatchObject({ slots: 4, cacheTokens: 4 * 48 });
    const answers = await session.step([0, 1, 2, 3].map(prefill));
    for (const { logits } of answers) expect(apart(logits!, answers[0]!.logits!)).toBe(0);
    const [went] = await session.step([next(0)]);
    // At once: 0 goes to 2 in the other replica, 3 to 1, and 1 keeps what it had of 0's replica until it is read.
    await session.fork([
      { from: 0, to: 2, length: ids.length },
      { from: 3, to: 1, length: ids.length },
    ]);
    const after = await session.step([next(1), next(2)]);
    for (const { logits } of after) expect(apart(logits!, went!.logits!)).toBeLessThan(1e-5);
    await session.trim(0, 0);
    const saved = await session.save(2);
    expect(await session.restore(0, saved)).toBe(ids.length + 1);
    await expect(session.restore(0, saved.subarray(0, saved.length - 3))).rejects.toMatchObject({
      code: "saved-invalid",
    });
    await session.close();
  });

  test("refuse together: nothing has changed in any", async () => {
    const session = await open();
    await expect(session.step([prefill(0), next(3)])).rejects.toMatchObject({ code: "gap" });
    const [answer] = await session.step([prefill(0)]);
    expect(answer!.logits).toBeDefined();
    await session.close();
    await expect(session.step([prefill(0)])).rejects.toMatchObject({ code: "closed" });
  });
});

describe("a worker that dies", () => {
  test("in a step fails that step in one line and names what is lost; the rest is as it was, and it is started anew", async () => {
    const session = await open();
    await session.step([prefill(0), prefill(2)]);
    const running = session.step([next(0), next(2)]);
    const killed = session.kill(0, 1);
    const error = (await running.catch((reason: unknown) => reason)) as SessionError;
    await killed;
    // It may have answered before it died: then the next step says so.
    const told =
      error?.name === "SessionError"
        ? error
        : ((await session.step([next(0)]).catch((reason: unknown) => reason)) as SessionError);
    expect(told).toMatchObject({
      code: "device",
      message: expect.stringMatching(/^(shard 2 of 2 has died|a shard has died)/),
    });
    expect(told.message).not.toContain("\n");
    expect(told.lost).toContain(0);
    expect(told.lost).not.toContain(2);
    await expect(session.step([{ ...next(0), at: 3 }])).rejects.toMatchObject({ code: "gap" });
    const [alive] = await session.step([next(2)]);
    const [anew] = await session.step([prefill(0)]);
    expect(anew!.logits!.length).toBe(alive!.logits!.length);
    expect((await answerIn(session, 1, prompts[0]!)).greedy).toEqual(prompts[0]!.greedy);
    await session.close();
  });

  test("between steps is noticed by the next, which asks for nothing that is gone", async () => {
    const session = await open({ mesh: "1x2", batchSize: 1 });
    await session.step([prefill(0)]);
    await session.kill(0, 0);
    await expect(session.step([next(0)])).rejects.toMatchObject({ code: "device", lost: [0] });
    expect((await answerIn(session, 0, prompts[0]!)).greedy).toEqual(prompts[0]!.greedy);
    await session.close();
  });
});

describe("a worker that died between calls is noticed by whatever is asked next", () => {
  const verbs: readonly [string, (session: MeshSession) => Promise<unknown>][] = [
    ["trim", (session) => session.trim(0, ids.length - 1)],
    ["a trim elsewhere", (session) => session.trim(2, ids.length - 1)],
    ["fork", (session) => session.fork([{ from: 0, to: 1, length: 3 }])],
    ["a fork to another replica", (session) => session.fork([{ from: 0, to: 2, length: 3 }])],
    ["a fork from another replica", (session) => session.fork([{ from: 3, to: 0, length: 3 }])],
    ["save", (session) => session.save(1)],
    ["restore", async (session) => session.restore(0, new Uint8Array())],
    ["usage", (session) => session.usage()],
  ];

  let session: MeshSession;
  beforeAll(async () => {
    session = await open();
  });
  afterAll(() => session.close());

  test.each(verbs)("%s", async (_, ask) => {
    for (const slot of [0, 1, 2, 3]) await session.trim(slot, 0);
    await session.step([0, 1, 2, 3].map(prefill));
    await session.kill(0, 1);
    await expect(ask(session)).rejects.toMatchObject({ code: "device", lost: [0, 1] });
    // It is told once; then those slots are empty and the others as they were.
    await expect(session.step([next(0)])).rejects.toMatchObject({ code: "gap" });
    const [two, three] = await session.step([next(2), next(3)]);
    expect(apart(two!.logits!, three!.logits!)).toBe(0);
    const [anew] = await session.step([prefill(1)]);
    expect(anew!.logits).toBeDefined();
  });
});

describe("a saved slot of which a part is damaged", () => {
  const broken = async (session: MeshSession) => {
    const saved = (await session.save(0)).slice();
    saved[saved.length - 1]! ^= 1; // in the last shard's part
    return saved;
  };

  test("is refused before any shard takes its part", async () => {
    const session = await open({ mesh: "1x2", batchSize: 1 });
    await session.step([prefill(0)]);
    await expect(session.restore(0, await broken(session))).rejects.toMatchObject({ code: "saved-invalid" });
    const [answer] = await session.step([next(0)]);
    expect(answer!.logits).toBeDefined();
    await session.close();
  });

  test("that shards disagree about is lost, and nobody waits for the other", async () => {
    const session = await open({ mesh: "1x2", batchSize: 1 });
    await session.step([prefill(0)]);
    const saved = await broken(session);
    saved.set(createHash("sha256").update(saved.subarray(32)).digest());
    await expect(session.restore(0, saved)).rejects.toMatchObject({ code: "saved-invalid", lost: [0] });
    await expect(session.step([next(0)])).rejects.toMatchObject({ code: "gap" });
    expect((await answerIn(session, 0, prompts[0]!)).greedy).toEqual(prompts[0]!.greedy);
    await session.close();
  });
});

test("a shard that can't be loaded fails as a model that runs alone would", async () => {
  vi.stubEnv("LLM_CPU_KERNEL", "abacus");
  try {
    await expect(open()).rejects.toMatchObject({ code: "option-invalid", message: expect.stringContaining("abacus") });
  } finally {
    vi.unstubAllEnvs();
  }
});

describe("what was planned", () => {
  test.each(["1x2", "1x4", "1x2x2"])("%s: shards have and are told as many bytes as they were to", async (mesh) => {
    const asked = { ...DEFAULTS, mesh, batchSize: 2, ctxLen: 48 };
    using own = await buildGolden(NAME, { options: asked });
    const session = (await cpuTarget.open(own.artefact, asked)) as MeshSession;
    const { device, work } = describeCpu(asked);
    const chunk = ids.length;
    const plan = planMesh(own.graph, toMesh(mesh), device, { ...DEFAULT_WORK, ...work, batch: 2, context: 48, chunk });
    const measure = async (rows: readonly Row[]) => {
      const before = await session.usage();
      await session.step(rows);
      return (await session.usage()).map(({ receivedBytes }, i) => receivedBytes - before[i]!.receivedBytes);
    };
    expect(await measure([prefill(0)])).toEqual(plan.shards.map(({ toldPerChunk }) => toldPerChunk));
    expect(await measure([next(0)])).toEqual(plan.shards.map(({ toldPerToken }) => toldPerToken));
    await session.step([{ slot: 1, at: 0, tokens: new Int32Array(48) }]);
    const exact = cpuTarget.plan(own.graph, asked).devices;
    for (const [i, { cacheBytes }] of (await session.usage()).entries()) expect(cacheBytes).toBe(exact[i]!.kv);
    await session.close();
  });

  test.each(["1x2", "1x4", "1x2x2"])("%s: files that shards read hold as many bytes of weights", async (mesh) => {
    const asked = { ...DEFAULTS, mesh };
    using own = await buildGolden(NAME, { options: asked });
    const { mp, places } = (await readSchedule(own.artefact))!;
    const planned = cpuTarget.plan(own.graph, asked).devices;
    for (const [i, { nets, stage }] of places.entries()) {
      const stored = nets
        .flatMap((net) => readOnnx(netFile(own.artefact.folder, net)).initializers)
        .reduce((sum, { external }) => sum + (external?.length ?? 0), 0);
      // A table that is only looked up in stays where it is, and isn't planned: a shard of it is the first stage's.
      const { vocab, width } = own.artefact.manifest.model;
      const table = stage === 0 ? (4 * vocab * width) / mp : 0;
      expect(stored - table).toBe(planned[i]!.weights);
    }
  });
});

test("an artefact that is shared out one way is not opened another", async () => {
  await expect(open({ mesh: "1x4" })).rejects.toThrow(
    /--mesh 1x4: this artefact was made for 1x2; only its first number is free/,
  );
  await (await open({ mesh: "2" })).close(); // one copy over two
});
