import { corePasses, parseGraph, programOf, runPipeline } from "@llm/core-ir";
import { goldenNames, readGolden, readGoldenConfig } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import { expect, test } from "vitest";
import { bm1684xTarget } from "./bm1684x-target.ts";
import { NET_KIND, type NetSpec } from "./compile/units.ts";
import type { Bm1684xMode } from "./options.ts";
import { REFUSED, takenGoldens } from "./testing/golden-models.ts";
import { optionsOf } from "./testing/options.ts";
import { toTop } from "./top/to-top.ts";

const MODES: readonly Bm1684xMode[] = ["F16", "int4"];

interface Module {
  readonly name: string;
  readonly text: string;
}

/** Everything up to the compiler's own input. */
function modulesOf(name: string, mode: Bm1684xMode): readonly Module[] {
  const config = new Config(readGoldenConfig(name));
  const graph = architectureFor(config.raw).build(config);
  const options = optionsOf({ mode, ctxLen: 32 });
  const passes = [...corePasses, ...(bm1684xTarget.passes ?? [])];
  const program = runPipeline(programOf(graph), bm1684xTarget.pipeline(graph, options), { passes });
  const units = bm1684xTarget.units(program, options);
  return units
    .filter(({ kind }) => kind === NET_KIND)
    .map(({ spec }) => {
      const { graph: text, name, inputs, outputs } = spec as unknown as NetSpec;
      return { name, text: toTop(parseGraph(text), { name, weightFile: `${name}.npz`, inputs, outputs }).text };
    });
}

/** Arrays in the order in which ops take them: a bmodel has each as often as it is taken. */
function taken(text: string): readonly string[] {
  const arrays = new Map<string, string>();
  for (const [, ref, array] of text.matchAll(/^ +(%\d+) = "top\.Weight".* loc\("(.*)"\)$/gm)) arrays.set(ref!, array!);
  const operands = [...text.matchAll(/^ +%\S+ = "top\.\w+"\((.*?)\)/gm)].flatMap(([, list]) => list!.split(", "));
  return operands.flatMap((ref) => arrays.get(ref) ?? []);
}

test.each(goldenNames())("%s is said in TOP, or refused by reason", (name) => {
  for (const mode of MODES) {
    const refusal = REFUSED[name];
    if (refusal) expect(() => modulesOf(name, mode)).toThrow(refusal);
    // Two nets for each block, embedding's two, and three heads.
    else expect(modulesOf(name, mode)).toHaveLength(2 * readGolden(name).num_hidden + 5);
  }
});

test.each(takenGoldens())("%s: a block's two nets take the same arrays in one order", (name) => {
  const nets = new Map(modulesOf(name, "F16").map((module) => [module.name, taken(module.text)]));
  for (const [id, arrays] of nets) {
    const twin = /^block_(\d+)$/.exec(id)?.[1];
    if (twin === undefined) continue;
    expect(arrays.length).toBeGreaterThan(5);
    expect(nets.get(`block_cache_${twin}`), id).toEqual(arrays);
  }
});
