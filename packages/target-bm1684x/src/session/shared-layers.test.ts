import { loadWeights, ReferenceModel } from "@llm/core-ir";
import { readGoldenConfig } from "@llm/fixtures";
import { NativeError } from "@llm/runtime-native";
import { conformance } from "@llm/target/conformance";
import { describe, expect, it, test } from "vitest";
import type { NetsFile } from "../compile/nets-file.ts";
import type { Port, PortRole } from "../nets/net-ports.ts";
import { interpreted } from "../testing/interpreted.ts";
import { optionsOf } from "../testing/options.ts";
import { randomModel } from "../testing/random-model.ts";
import { Bm1684xSession } from "./bm1684x-session.ts";
import { findLayout } from "./find-layout.ts";
import { listedRoles } from "./roles.ts";

/** One layer with rotary positions and groups of queries, and a vocabulary that divides by 2. */
const MODEL = randomModel({ ...readGoldenConfig("llama_gqa_llama3"), num_hidden_layers: 1 }, 4);
const LENGTH = 16;
const options = optionsOf({ ctxLen: LENGTH, mesh: "1x2", batchSize: 3 });

describe("conformance of a session whose chips share each layer", async () => {
  const weights = await loadWeights(MODEL.graph, MODEL.source);
  const oracle = (history: readonly number[]) =>
    new ReferenceModel(MODEL.graph, weights, { context: LENGTH }).step([
      { slot: 0, at: 0, tokens: history, last: 1 },
    ])[0]!.logits;
  it.each(conformance.filter(({ about }) => about === "session"))("$name", async ({ run }) => {
    await run({
      open: async () => (await interpreted(MODEL, options)).session,
      oracle,
      tolerance: 1e-4,
      schedules: { count: 3, steps: 12 },
    });
  });
});

test("the best token is chosen where all logits are put together", async () => {
  const { session, bmrt } = await interpreted(MODEL, options);
  const tokens = Int32Array.of(5, 9, 3);
  const [{ logits }] = (await session.step([{ slot: 0, at: 0, tokens, want: { kind: "logits", last: 2 } }])) as [
    { logits: Float32Array },
  ];
  const last = logits.subarray(logits.length / 2);
  const want = { kind: "token", last: 1, sampling: { method: "greedy" } } as const;
  bmrt.launches.splice(0);
  const [chosen] = await session.step([{ slot: 1, at: 0, tokens, want }]);
  expect([...chosen!.tokens!]).toEqual([last.indexOf(Math.max(...last))]);
  expect(bmrt.launches).toEqual([
    "0:embedding",
    ...["part0", "part1"].flatMap((part) => [0, 1].map((chip) => `${chip}:block_0_${part}_chip${chip}`)),
    "0:lm_head_chip0",
    "1:lm_head_chip1",
    "0:greedy_head",
  ]);
  await session.close();
});

test("whichever command of a step fails, its slots are lost, and the step can be taken again", async () => {
  const { session, bmrt } = await interpreted(MODEL, options);
  const want = { kind: "logits", last: 1 } as const;
  const rows = [
    { slot: 0, at: 0, tokens: Int32Array.of(5, 9, 3), want },
    { slot: 2, at: 0, tokens: Int32Array.of(4), want },
  ];
  const step = async () => (await session.step(rows)).map(({ logits }) => logits!.slice());
  const expected = await step();
  const run = bmrt.run.bind(bmrt);
  let left = Number.POSITIVE_INFINITY;
  bmrt.run = async (commands) => {
    const before = commands.slice(0, left);
    left -= commands.length;
    const read = await run(before);
    if (left < 0) throw new NativeError("device-failed", "timeout", { call: "bm_thread_sync", status: 3 });
    return read;
  };
  let failures = 0;
  for (; ; failures++) {
    left = failures;
    const answers = await step().catch((error: unknown) => error);
    left = Number.POSITIVE_INFINITY;
    if (Array.isArray(answers)) break;
    expect(answers).toMatchObject({ code: "device", lost: [0, 2] });
    expect(await step()).toEqual(expected);
  }
  expect(failures).toBeGreaterThan(30);
  await session.close();
});

describe("a damaged list of nets is refused in one line, where it", () => {
  type Nets = NetsFile["nets"];
  const renamed = (nets: Nets, change: (port: Port) => PortRole): Nets =>
    nets.map((net) => ({ ...net, outputs: net.outputs.map((port) => ({ ...port, meaning: change(port) })) }));

  test.each<readonly [string, (nets: Nets) => Nets, RegExp]>([
    [
      "names no term",
      (nets) => renamed(nets, ({ meaning }) => (meaning.role === "term" ? ({ role: "term" } as PortRole) : meaning)),
      /hidden state has no name/,
    ],
    [
      "names terms of something else",
      (nets) => renamed(nets, ({ meaning }) => (meaning.role === "term" ? { ...meaning, value: "x" } : meaning)),
      /block_cache_0_part1_chip0 takes .*, which no net before it gives/,
    ],
    [
      "has logits of one chip only",
      (nets) =>
        renamed(nets, ({ meaning }) =>
          meaning.role === "logits" && meaning.from ? { role: "hidden", value: "x" } : meaning,
        ),
      /lm_head_chip1 is a part of a head without logits/,
    ],
  ])("%s", async (_, damage, message) => {
    const { bmrt, session } = await interpreted(MODEL, options);
    await session.close();
    const nets = await Promise.all([0, 1].map((device) => bmrt.load(device)));
    const list = { ...bmrt.list, nets: damage(bmrt.list.nets) };
    const opening = async () => Bm1684xSession.open(bmrt, findLayout(nets, listedRoles(list)), 1);
    await expect(opening()).rejects.toThrow(message);
  });
});
