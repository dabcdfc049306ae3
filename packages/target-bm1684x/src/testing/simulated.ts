import { corePasses, loadWeights, programOf, ReferenceModel, runPipeline } from "@llm/core-ir";
import { bm1684xTarget } from "../bm1684x-target.ts";
import type { Bm1684xMode } from "../options.ts";
import { buildModel } from "./build-model.ts";
import { optionsOf } from "./options.ts";
import { type RandomModel, randomModel } from "./random-model.ts";

/** What one model did on the simulator, beside the reference. */
export interface Simulated {
  /** Cosine of each step's logits with those of the unquantised model, the prompt's first. */
  readonly exact: readonly number[];
  /** The same with those of the model whose weights are rounded as the chip keeps them. */
  readonly emulated: readonly number[];
  readonly tokens: readonly number[];
  readonly expected: readonly number[];
}

const LENGTH = 16;
const PROMPT = [5, 17, 3, 99, 42, 7, 8];

/** Compiles a config's model, and lets it go on from a prompt, on the simulator, by the addon. */
export async function simulate(
  config: Readonly<Record<string, unknown>>,
  mode: Bm1684xMode,
  { steps, seed, mesh }: { readonly steps: number; readonly seed: number; readonly mesh?: string },
): Promise<Simulated> {
  const model = randomModel(config, seed);
  const options = optionsOf({ mode, ctxLen: LENGTH, simulate: true, ...(mesh === undefined ? {} : { mesh }) });
  using built = await buildModel(model, options);
  const references = {
    exact: await reference(model),
    emulated: await reference(model, mode),
  };
  const session = await bm1684xTarget.open(built.artefact, options);
  const exact: number[] = [];
  const emulated: number[] = [];
  const made: number[] = [];
  const expected: number[] = [];
  try {
    for (let step = 0, tokens = PROMPT, at = 0; step <= steps; step++) {
      const [row] = await session.step([
        { slot: 0, at, tokens: Int32Array.from(tokens), want: { kind: "logits", last: 1 } },
      ]);
      const logits = row!.logits!.slice();
      const said = (of: ReferenceModel) => of.step([{ slot: 0, at, tokens, last: 1 }])[0]!.logits;
      const wanted = said(references.exact);
      exact.push(cosine(logits, wanted));
      emulated.push(cosine(logits, said(references.emulated)));
      made.push(best(logits));
      expected.push(best(wanted));
      at += tokens.length;
      tokens = [expected.at(-1)!]; // one mistake must not hide the rest
    }
  } finally {
    await session.close();
  }
  return { exact, emulated, tokens: made, expected };
}

/** The interpreter; with a mode, over weights as that mode keeps them. */
export async function reference({ graph, source }: RandomModel, mode?: Bm1684xMode): Promise<ReferenceModel> {
  const steps = mode ? bm1684xTarget.pipeline(graph, optionsOf({ mode, ctxLen: LENGTH })) : [];
  const weights = steps.filter(({ pass }) => pass === "split-linears" || pass === "bm1684x-quantise");
  const passes = [...corePasses, ...(bm1684xTarget.passes ?? [])];
  const rounded = runPipeline(programOf(graph), weights, { passes }).nets[0]!.graph;
  return new ReferenceModel(rounded, await loadWeights(rounded, source), { slots: 1, context: LENGTH });
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (const [i, x] of a.entries()) {
    ab += x * b[i]!;
    aa += x * x;
    bb += b[i]! * b[i]!;
  }
  return ab / Math.sqrt(aa * bb);
}

function best(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits));
}
