import type { Plan } from "@llm/target";
import { cpuTarget } from "@llm/target-cpu";
import { expect, it } from "vitest";
import { planModel } from "./plan.ts";

it("plans no more sequences than the target takes, whatever fits", async () => {
  const roomy = {
    ...cpuTarget,
    plan: (...given: Parameters<typeof cpuTarget.plan>): Plan => ({ ...cpuTarget.plan(...given), maxBatchSize: 7880 }),
  };
  const most = cpuTarget.options.batchSize.max!;
  const { plan, options } = await planModel("demo", roomy as never, { batchSize: "max" });
  expect(plan.maxBatchSize).toBe(most);
  expect(options.batchSize).toBe(most);
  expect((await planModel("demo", roomy as never, { batchSize: 2 })).plan.maxBatchSize).toBe(most);
  await expect(planModel("demo", roomy as never, { batchSize: most + 1 })).rejects.toThrow(`at most ${most}`);
});
