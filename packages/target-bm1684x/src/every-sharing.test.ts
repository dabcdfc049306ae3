import { loadWeights, ReferenceModel } from "@llm/core-ir";
import { goldenNames, readGoldenConfig } from "@llm/fixtures";
import { describe, expect, test } from "vitest";
import type { Bm1684xOptions } from "./options.ts";
import { FAMILIES } from "./testing/families.ts";
import { REFUSED as REFUSED_BY_ALL } from "./testing/golden-models.ts";
import { interpreted } from "./testing/interpreted.ts";
import { optionsOf } from "./testing/options.ts";
import { type RandomModel, randomModel } from "./testing/random-model.ts";

const LENGTH = 8;

/** A prompt and tokens after it. */
const CALLS = [[5, 9, 3, 2, 7], [11], [4]];

/** Logits of the last token of each call, by the nets that would be compiled, on devices that interpret. */
async function said(model: RandomModel, given: Partial<Bm1684xOptions>): Promise<readonly Float32Array[]> {
  const { session } = await interpreted(model, optionsOf({ ctxLen: LENGTH, ...given }));
  const logits: Float32Array[] = [];
  let at = 0;
  for (const tokens of CALLS) {
    const row = { slot: 0, at, tokens: Int32Array.from(tokens), want: { kind: "logits", last: 1 } } as const;
    logits.push((await session.step([row]))[0]!.logits!.slice());
    at += tokens.length;
  }
  await session.close();
  return logits;
}

async function expected({ graph, source }: RandomModel): Promise<readonly Float32Array[]> {
  const reference = new ReferenceModel(graph, await loadWeights(graph, source), { context: LENGTH });
  let at = 0;
  return CALLS.map((tokens) => {
    const [row] = reference.step([{ slot: 0, at, tokens, last: 1 }]);
    at += tokens.length;
    return row!.logits;
  });
}

function furthest(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  const distances = a.flatMap((logits, call) => [...logits].map((x, i) => Math.abs(x - b[call]![i]!)));
  return distances.every(Number.isFinite) ? Math.max(...distances) : Number.NaN;
}

/** Golden models that chips can't share by slices of layers, or that none can run, and what is said of them. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  ...REFUSED_BY_ALL,
  mpt_qkln_alibi_mqa: /norms over what all chips make together$/,
  mpt_qkln_wpe: /norms over what all chips make together$/,
  olmo2: /norms over what all chips make together$/,
};

test.each(goldenNames())("%s: two chips say what one does, and that what the model says", async (name) => {
  const model = randomModel(readGoldenConfig(name), 2);
  const refusal = REFUSED[name];
  if (refusal) return expect(said(model, { mesh: "1x2" })).rejects.toThrow(refusal);
  const one = await said(model, {});
  // Of falcon_rw_16h, biases by distance are rounded to bfloat16 in the published code, and with their scale here.
  expect(furthest(one, await expected(model))).toBeLessThan(1e-3);
  expect(furthest(await said(model, { mesh: "1x2" }), one), "slices").toBeLessThan(2e-5);
  expect(furthest(await said(model, { mesh: "1x1x2" }), one), "layers").toBe(0);
});

describe("models as wide as groups of weights", () => {
  const config = (family: string) => ({ ...FAMILIES[family], vocab_size: 512 }); // quarters fill the chip's lanes, too

  test.each(["gpt_bigcode", "llama"])(
    "%s: in 4 and 8 bits, too, chips have the weights that one has",
    async (family) => {
      const model = randomModel(config(family), 2);
      const exact = await said(model, {});
      for (const mode of ["int4", "int8"] as const) {
        const one = await said(model, { mode });
        expect(furthest(one, exact)).toBeGreaterThan(1e-3);
        for (const mesh of ["1x2", "1x4"])
          expect(furthest(await said(model, { mode, mesh }), one), mesh).toBeLessThan(2e-5);
      }
    },
  );
});
