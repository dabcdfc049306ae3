import { readFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { type DescribedDevice, meshText } from "@llm/target/mesh";
import { nullTarget } from "@llm/target/null";
import { cpuTarget } from "@llm/target-cpu";
import { expect, test } from "vitest";
import { Generator } from "./generator.ts";
import { planModel } from "./plan.ts";
import { scratch } from "./testing/scratch.ts";

interface Golden {
  readonly prompts: readonly { text: string; greedy_text: string }[];
}

const { env } = scratch();
const { prompts } = JSON.parse(readFileSync(join(demoModelFolder, "golden.json"), "utf8")) as Golden;
const greedy = { greedy: true, maxNewTokens: 64 };

test("a model shared between workers says what it says alone, and can be shared otherwise", async () => {
  const generator = await Generator.fromPretrained("demo", { env, mesh: { mp: 2 }, batchSize: 2 });
  expect((await generator.generate(prompts[0]!.text, greedy)).text).toBe(prompts[0]!.greedy_text);
  const drawn = generator.describeMesh();
  expect(drawn).toMatch(/^mesh 1x2: one copy over 2 shards a layer\n +shard 1 +shard 2\nembedding\n/);
  expect(generator.describeMesh({ dp: 3, mp: 4 })).toMatch(/^mesh 3x4: 3 copies, each over 4 shards a layer/);

  const wider = await generator.shard("2x1");
  await expect((async () => generator.generate(prompts[0]!.text, greedy))()).rejects.toThrow(/closed/);
  const both = await wider.generate(
    prompts.slice(0, 2).map(({ text }) => text),
    greedy,
  );
  expect(both.map(({ text }) => text)).toEqual(prompts.slice(0, 2).map(({ greedy_text }) => greedy_text));
  expect(wider.describeMesh()).toMatch(/^mesh 2x1: 2 copies, each over one shard a layer/);
  await wider.close();
});

test("what can't be shared is refused in one line", async () => {
  const open = (options: object) => Generator.fromPretrained("demo", { env, ...options });
  await expect(open({ mesh: "2by2" })).rejects.toThrow('a mesh is DPxMP or DPxMPxPP, such as 2x2, not "2by2"');
  await expect(open({ mesh: { mp: 0 } })).rejects.toThrow(/a mesh is DPxMP/);
  await expect(planModel("demo", nullTarget as never, { mesh: "auto" })).rejects.toThrow(
    "--mesh: nothing is known of how devices of null share a model",
  );
});

test("a plan of one mesh is of its shards; auto compares them all and takes one", async () => {
  const { plan } = await planModel("demo", cpuTarget as never, { mesh: "2x2", batchSize: 4 });
  expect(plan.devices.map(({ name }) => name)).toEqual([
    "copy 1, shard 1",
    "copy 1, shard 2",
    "copy 2, shard 1",
    "copy 2, shard 2",
  ]);
  const alone = (await planModel("demo", cpuTarget as never, { batchSize: 4 })).plan.devices[0]!;
  expect(plan.devices[0]!.weights).toBeLessThan(0.6 * alone.weights);
  const auto = await planModel("demo", cpuTarget as never, { mesh: "auto", targetOptions: { threads: 2 } });
  const { chosen, plans } = auto.plan.meshes!;
  expect(plans[0]).toBe(chosen);
  expect(plans.length).toBeGreaterThan(1);
  expect(auto.options.mesh).toBe("1x1"); // one memory: shares of it make nothing faster
});

test("auto chooses among the meshes that a target makes programs for", async () => {
  const described: DescribedDevice = {
    device: {
      ...{ name: "chip", memory: 16e9, reserve: 0, bandwidth: 45e9, compute: 1e13, most: 8 },
      link: { bandwidth: 2.5e9, latency: 60e-6, way: "host" },
    },
    work: { context: 16 },
    runs: ({ dp, mp }) => dp * mp === 1,
  };
  const mesh = { kind: "string", doc: "", shapes: true };
  const options = { ...nullTarget.options, mesh };
  const target = { ...nullTarget, options, describe: () => described } as never;
  const { plan } = await planModel("demo", target, { mesh: "auto", batchSize: 4 });
  expect(plan.meshes!.plans.map(({ mesh }) => meshText(mesh)).sort()).toEqual(["1x1", "1x1x2", "1x1x4", "1x1x8"]);
});
