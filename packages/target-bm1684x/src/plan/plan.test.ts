import { readGoldenConfig } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import { expect, test } from "vitest";
import { FAMILIES } from "../testing/families.ts";
import { optionsOf } from "../testing/options.ts";
import { WIZARDCODER } from "../testing/wizardcoder.ts";
import { planBm1684x } from "./plan.ts";

const wizardcoder = graphOf(WIZARDCODER);

function graphOf(raw: Readonly<Record<string, unknown>>) {
  const config = new Config(raw);
  return architectureFor(config.raw).build(config);
}

test("Wizardcoder-15B in 4 bits fits one chip, its parts as they were measured", () => {
  const plan = planBm1684x(wizardcoder, optionsOf({ mode: "int4" }));
  const [device] = plan.devices;
  expect(plan.fits).toBe(true);
  // A block's pair of nets was compiled: 207,441,920 bytes of weights, 2.4 MB of instructions, 63.7 MB to compute with.
  const blocks = device!.weights - (49153 + 8192) * 6144 * 2 - 49153 * 6144 * (1 + 3 / 64);
  expect(blocks / 40).toBeGreaterThan(207_441_920 * 0.99);
  expect(blocks / 40).toBeLessThan(207_441_920 * 1.01);
  expect(device!.instructions! / 40 / 2.4e6).toBeCloseTo(1, 0);
  const toComputeWith = device!.activations - device!.instructions!;
  expect(toComputeWith).toBeGreaterThan(60e6);
  expect(toComputeWith).toBeLessThan(67e6);
  expect(device!.kv).toBe(40 * 512 * 256 * 2);
});

test("the parts make the total, and sequences take more cache and nothing else", () => {
  const [one, four] = [1, 4].map((batchSize) => planBm1684x(wizardcoder, optionsOf({ batchSize })).devices[0]!);
  const { total, weights, kv, activations, instructions, reserve, free } = one!;
  expect(weights + kv + activations + reserve + free).toBe(total);
  expect(four).toMatchObject({ weights, activations, instructions, kv: 4 * kv });
});

test("in 16 bits it takes more than one chip, and says so", () => {
  const one = planBm1684x(wizardcoder, optionsOf({ mode: "F16" }));
  expect(one.fits).toBe(false);
  expect(one.why).toMatch(/short: the weights are the larger part; --num-device/);
  const four = planBm1684x(wizardcoder, optionsOf({ mode: "F16", mesh: "1x1x4" }));
  expect(four.devices.map(({ name }) => name)).toEqual(["BM1684X 0", "BM1684X 1", "BM1684X 2", "BM1684X 3"]);
  expect(four.fits).toBe(true);
  const all = four.devices.reduce((sum, { weights }) => sum + weights, 0);
  expect(all).toBe(one.devices[0]!.weights);
});

test("what stays in 16 bits although fewer were asked for is said", () => {
  const narrow = readGoldenConfig("gpt2"); // 48 wide
  const why = (config: Readonly<Record<string, unknown>>, mode: "F16" | "int4") =>
    planBm1684x(graphOf(config), optionsOf({ mode, ctxLen: 32 })).why;
  expect(why(narrow, "int4")).toMatch(/; 100 % of the layers' weights stay in 16 bits: .* groups of 64 and 64 lanes$/);
  expect(why(narrow, "F16")).not.toContain("16 bits");
  expect(why(FAMILIES.gpt_bigcode!, "int4")).not.toContain("16 bits");
});

test("as many sequences as are said to fit do, and one more doesn't", () => {
  const options = optionsOf({ mode: "int4" });
  const { maxBatchSize } = planBm1684x(wizardcoder, options);
  expect(planBm1684x(wizardcoder, { ...options, batchSize: maxBatchSize }).fits).toBe(true);
  expect(planBm1684x(wizardcoder, { ...options, batchSize: maxBatchSize + 1 }).fits).toBe(false);
});
