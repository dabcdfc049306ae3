import { demoModelFolder } from "@llm/demo-model";
import { cpuTarget } from "@llm/target-cpu";
import { expect, it } from "vitest";
import { drawGraph } from "./draw-graph.ts";
import { openModel } from "./open-model.ts";

it("draws a model as built and after every pass of a target, on a page that needs nothing else", async () => {
  const model = await openModel(demoModelFolder);
  const page = drawGraph("demo", model.graph, cpuTarget);
  await model.close();
  for (const stage of ["as built", "cache-form", "lower-to-ort"]) expect(page).toContain(stage);
  expect(page).toMatch(/<svg/);
  expect(page).not.toMatch(/(src|href)="https?:/);
});
