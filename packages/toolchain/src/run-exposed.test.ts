import { demoModelFolder } from "@llm/demo-model";
import { expect, it } from "vitest";
import { openModel } from "./open-model.ts";
import { runExposed } from "./run-exposed.ts";
import { findTarget } from "./targets.ts";

it("looks between the blocks of what a run would make of the checkpoint", async () => {
  const { target } = await findTarget("cpu");
  const model = await openModel(demoModelFolder);
  const choosy: typeof target = {
    ...target,
    choose: (_graph, options, source) => ({
      options: { ...(options as object), format: source ? "int8" : "fp32" },
      notes: [],
    }),
  };
  const [chosen, said] = await Promise.all([
    runExposed(model, model.graph, choosy, Int32Array.of(1, 2, 3)),
    runExposed(model, model.graph, target, Int32Array.of(1, 2, 3), { targetOptions: { format: "int8" } }),
  ]);
  await model.close();
  expect(chosen.logits).toEqual(said.logits);
});
