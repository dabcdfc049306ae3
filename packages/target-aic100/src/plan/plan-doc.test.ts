import { expect, test } from "vitest";
import { planDoc } from "./testing/plan-doc.ts";

test("the page in the docs is what the planner says", async () => {
  await expect(planDoc()).toMatchFileSnapshot("../../../../docs/aic100-plan.md");
});
