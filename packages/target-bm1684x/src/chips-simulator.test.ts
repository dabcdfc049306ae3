import { describe, expect, test } from "vitest";
import type { Bm1684xMode } from "./options.ts";
import { FAMILIES } from "./testing/families.ts";
import { simulate } from "./testing/simulated.ts";
import { missingToolchain } from "./testing/toolchain.ts";

const missing = missingToolchain();
const ALL = process.env.LLM_SIMULATOR === "all";

interface Case {
  readonly family: "gpt_bigcode" | "llama";
  readonly mode: Bm1684xMode;
  readonly mesh: string;
}

/** `pnpm test:simulator` runs all; a plain run one, with one block and one step. */
const CASES: readonly Case[] = ALL
  ? [
      ...(["gpt_bigcode", "llama"] as const).flatMap((family) =>
        (["F16", "int4"] as const).map((mode): Case => ({ family, mode, mesh: "1x2" })),
      ),
      { family: "gpt_bigcode", mode: "F16", mesh: "1x1x2" },
    ]
  : [{ family: "gpt_bigcode", mode: "int4", mesh: "1x2" }];

const LAYERS = { gpt_bigcode: "n_layer", llama: "num_hidden_layers" } as const;
const STEPS = ALL ? 8 : 1;

// The simulator has one chip: what several would do side by side, it does one after the other.
describe.skipIf(missing)(`chips that share a model, on the vendor's simulator${missing ? `: ${missing}` : ""}`, () => {
  test.for(CASES)(
    `$family in $mode as $mesh: a prompt and ${STEPS} steps`,
    { timeout: ALL ? 1_800_000 : 300_000 },
    async ({ family, mode, mesh }, { annotate }) => {
      // Half a vocabulary fills the chip's lanes, so that what is rounded is the same on one chip.
      const config = { ...FAMILIES[family], vocab_size: 384, ...(ALL ? {} : { [LAYERS[family]]: 1 }) };
      const { exact, emulated, tokens, expected } = await simulate(config, mode, { steps: STEPS, seed: 7, mesh });
      const least = Math.min(...(mode === "F16" ? exact : emulated));
      await annotate(`least cosine: ${least.toFixed(7)} with one chip's model`);
      expect(emulated).toHaveLength(1 + STEPS);
      expect(least).toBeGreaterThanOrEqual(0.9999);
      if (mode === "F16") expect(tokens).toEqual(expected);
    },
  );
});
