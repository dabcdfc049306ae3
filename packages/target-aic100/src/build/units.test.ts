import { corePasses, programOf, runPipeline } from "@llm/core-ir";
import { readGoldenConfig } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import type { Unit } from "@llm/target";
import { expect, test } from "vitest";
import { aic100Target } from "../aic100-target.ts";
import { type Aic100Options, defaultOptions } from "../options.ts";
import { MODEL_UNIT } from "./units.ts";

function exported(given: Partial<Aic100Options>): Unit {
  const raw = readGoldenConfig("gpt2");
  const graph = architectureFor(raw).build(new Config(raw));
  const options = { ...defaultOptions(), promptLen: 8, ...given };
  const passes = [...corePasses, ...(aic100Target.passes ?? [])];
  const { dialects } = aic100Target;
  const program = runPipeline(programOf(graph), aic100Target.pipeline(graph, options), { passes, dialects });
  return aic100Target.units(program, options).find(({ id }) => id === MODEL_UNIT)!;
}

test.each<Partial<Aic100Options>>([{}, { sdk: "recipe" }, { compCtxLengths: [16, 24, 32] }])(
  "a file that is the same for every context isn't made anew for another: %j",
  (given) => {
    expect(exported({ ...given, ctxLen: 64 })).toEqual(exported({ ...given, ctxLen: 48 }));
  },
);
