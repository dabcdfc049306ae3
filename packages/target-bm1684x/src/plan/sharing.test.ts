import { type Graph, meshCosts } from "@llm/core-ir";
import { readGoldenConfig } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import { chooseMesh, devicesOf, meshText, parseMesh, planBlocks, planMesh } from "@llm/target/mesh";
import { describe, expect, test } from "vitest";
import { FAMILIES } from "../testing/families.ts";
import { interpreted } from "../testing/interpreted.ts";
import { optionsOf } from "../testing/options.ts";
import { randomModel } from "../testing/random-model.ts";
import { WIZARDCODER } from "../testing/wizardcoder.ts";
import { chooseBm1684x } from "./choose.ts";
import { planBm1684x } from "./plan.ts";
import { describeBm1684x } from "./sharing.ts";

function graphOf(raw: Readonly<Record<string, unknown>>): Graph {
  const config = new Config(raw);
  return architectureFor(config.raw).build(config);
}

const wizardcoder = graphOf(WIZARDCODER);

describe("several chips", () => {
  test("share each layer of a large model: its weights are read side by side", () => {
    const { options, notes } = chooseBm1684x(wizardcoder, optionsOf({ mode: "int4", numDevice: 4 }));
    expect(options).toMatchObject({ mesh: "1x4", numDevice: 4 });
    expect(notes).toEqual([
      expect.stringMatching(
        /^--num-device 4: 1x4 of BM1684X: \d+\.\d tokens\/s .*; next is 1x1x4 with \d\.\d+ tokens\/s/,
      ),
    ]);
  });

  test("have some layers each of a small one, where talking would cost more than reading", () => {
    expect(chooseBm1684x(graphOf(FAMILIES.llama!), optionsOf({ numDevice: 2, ctxLen: 32 })).options.mesh).toBe("1x1x2");
  });

  test("have some layers each where slices can't be added up", () => {
    const olmo2 = graphOf(readGoldenConfig("olmo2"));
    expect(chooseBm1684x(olmo2, optionsOf({ numDevice: 2, ctxLen: 32 })).options.mesh).toBe("1x1x2");
    expect(() => chooseBm1684x(olmo2, optionsOf({ numDevice: 4, ctxLen: 32 }))).toThrow(
      /^--num-device 4: its layers have norms over what all chips make together; this model has \d blocks/,
    );
  });

  test("do as they are told", () => {
    const { options, notes } = chooseBm1684x(wizardcoder, optionsOf({ mesh: "1x1x2" }));
    expect(options).toMatchObject({ mesh: "1x1x2", numDevice: 2 });
    expect(notes).toEqual([]);
  });

  test("one of them has nothing to be chosen", () => {
    const options = optionsOf({ mode: "int4" });
    expect(chooseBm1684x(wizardcoder, options)).toEqual({ options, notes: [] });
  });

  test("are planned in meshes that they can be run in", () => {
    const { device, work, runs } = describeBm1684x(optionsOf({ mode: "int4" }), wizardcoder);
    const { plans } = chooseMesh(wizardcoder, device, { ...WORK, ...work }, { runs: runs! });
    expect(plans.map(({ mesh }) => meshText(mesh)).sort()).toEqual(
      ["1x1", "1x1x2", "1x1x4", "1x1x8", "1x2", "1x4", "1x8"].sort(),
    );
    const four = describeBm1684x(optionsOf({ numDevice: 4 }), wizardcoder);
    const { plans: ofFour } = chooseMesh(wizardcoder, four.device, { ...WORK, ...four.work }, { runs: four.runs! });
    expect(ofFour.map(({ mesh }) => meshText(mesh)).sort()).toEqual(["1x1x4", "1x4"]);
  });
});

test("a mesh that this model can't be on isn't chosen among", () => {
  const olmo2 = graphOf({
    ...{ model_type: "olmo2", architectures: ["Olmo2ForCausalLM"], hidden_size: 4096, intermediate_size: 11008 },
    ...{ num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 32, vocab_size: 100352 },
    ...{ max_position_embeddings: 4096, rope_theta: 500000, rms_norm_eps: 1e-6, hidden_act: "silu" },
  });
  const { runs } = describeBm1684x(optionsOf(), olmo2);
  const meshes = ["1x1", "1x8", "1x1x8", "2x1"].filter((mesh) => runs!(parseMesh(mesh)));
  expect(meshes).toEqual(["1x1", "1x1x8"]);
});

test.each(["F16", "int8", "int4"] as const)("%s: a mesh is chosen by about what plans of it say", (mode) => {
  const options = optionsOf({ mode });
  const { device, work } = describeBm1684x(options, wizardcoder);
  const [shard] = planMesh(wizardcoder, parseMesh("1x1"), device, { ...WORK, ...work }).shards;
  const [exact] = planBm1684x(wizardcoder, options).devices;
  expect(shard!.reserve).toBe(exact!.reserve);
  expect(shard!.weights / exact!.weights).toBeCloseTo(1, 2);
});

const WORK = { batch: 1, context: 512, chunk: 512, weightBits: 16, cacheBits: 16, talkBits: 16 };

describe("what slices take", () => {
  const plan = (mesh: string) => planBm1684x(wizardcoder, optionsOf({ mode: "int4", mesh }));
  const weights = (mesh: string) => plan(mesh).devices.map((device) => device.weights);
  const tables = (49153 + 8192) * 6144 * 2;

  test("is nearly an equal part of what is shared; the first chip has the tables, too", () => {
    const [whole] = weights("1x1");
    for (const chips of [2, 4, 8]) {
      const [first, ...others] = weights(`1x${chips}`);
      expect(first! - tables).toBeGreaterThan((0.98 * (whole! - tables)) / chips);
      for (const other of others) expect(Math.abs(other / (first! - tables) - 1)).toBeLessThan(0.01);
      // The one head of keys and values is everybody's, and norms are.
      const shared = first! + others.reduce((a, b) => a + b, 0) - whole!;
      expect(shared).toBeGreaterThan(0);
      expect(shared).toBeLessThan(chips * 0.02 * whole!);
    }
  });

  test("is a history on each chip where there is one head of keys", () => {
    expect(plan("1x4").devices.map(({ kv }) => kv)).toEqual(Array(4).fill(plan("1x1").devices[0]!.kv));
  });
});

test.each(["gpt_bigcode", "llama", "falcon"])("%s: chips are told as many bytes as is planned", async (family) => {
  const model = randomModel(FAMILIES[family]!, 2);
  for (const mesh of ["1x2", "1x4"]) {
    const { session, bmrt } = await interpreted(model, optionsOf({ ctxLen: 8, mesh }));
    const { device } = describeBm1684x(optionsOf(), wizardcoder);
    const blocks = meshCosts(model.graph, { mp: devicesOf(parseMesh(mesh)) }).filter(({ name }) => /^block/.test(name));
    // Halves on a chip are 32 bits for the interpreter; a prompt's nets compute all their places.
    const { shards } = planBlocks(blocks, parseMesh(mesh), device, { ...WORK, chunk: 8, talkBits: 32 });
    const told = async (at: number, tokens: readonly number[]) => {
      bmrt.told.fill(0);
      await session.step([{ slot: 0, at, tokens: Int32Array.from(tokens) }]);
      return [...bmrt.told];
    };
    // Planned with the head is the last block's last sum; and all but the first chip are told what the embedding made.
    const planned = (tokens: number, of: (shard: (typeof shards)[number]) => number) =>
      shards.map((shard) => of(shard) + tokens * 4 * 256 * (shard.rank === 0 ? 1 : 2));
    expect(await told(0, [5, 9, 3]), `${mesh}, a prompt`).toEqual(planned(8, ({ toldPerChunk }) => toldPerChunk));
    expect(await told(3, [7]), `${mesh}, a token`).toEqual(planned(1, ({ toldPerToken }) => toldPerToken));
    await session.close();
  }
});
