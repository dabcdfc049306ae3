import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Needs, Unit } from "../target.ts";
import { runUnits } from "./run-units.ts";

function unit(id: string, needs: Partial<Needs>): Unit {
  const all: Needs = { ramBytes: 0, diskBytes: 0, cores: 1, tools: [], ...needs };
  return { id, kind: "test@1", stage: "export", spec: null, weights: [], after: [], makes: [], needs: all };
}

it.each([
  ["memory", { ramBytes: 101 }],
  ["cores", { cores: 5 }],
])("runs a unit alone that needs more %s than there is", async (_, needs) => {
  const running = new Set<string>();
  const beside = new Map<string, string[]>();
  const units = [unit("a", {}), unit("large", needs), unit("b", {}), unit("c", {})];
  await runUnits(
    units,
    { cores: 4, ramBytes: 100 },
    async ({ id }) => {
      running.add(id);
      await setTimeout(id === "c" ? 2 : 6); // so that the others don't end together
      beside.set(
        id,
        [...running].filter((other) => other !== id),
      );
      running.delete(id);
    },
    new AbortController().signal,
  );
  expect(beside.get("large")).toEqual([]);
  expect(beside.get("c")).toEqual(["a", "b"]); // what fits is not held up
});
