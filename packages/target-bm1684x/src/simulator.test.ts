import { readGoldenConfig } from "@llm/fixtures";
import { describe, expect, test } from "vitest";
import type { Bm1684xMode } from "./options.ts";
import { FAMILIES } from "./testing/families.ts";
import { takenGoldens } from "./testing/golden-models.ts";
import { simulate } from "./testing/simulated.ts";
import { missingToolchain } from "./testing/toolchain.ts";

const missing = missingToolchain();
const MODES: readonly Bm1684xMode[] = ["F16", "int8", "int4"];
const ALL = process.env.LLM_SIMULATOR === "all";
const STEPS = 8;

/** `pnpm test:simulator` runs all; a plain run one of them, which `LLM_TEST_SEED` chooses. */
function inTurn(names: readonly string[]): readonly string[] {
  return ALL ? names : [names[Number(process.env.LLM_TEST_SEED) % names.length]!];
}

const others = Object.keys(FAMILIES).filter((family) => family !== "gpt_bigcode");
const cases = ["gpt_bigcode", ...inTurn(others)].flatMap((family) => MODES.map((mode) => [family, mode] as const));

function least(cosines: readonly number[]): string {
  return Math.min(...cosines).toFixed(6);
}

describe.skipIf(missing)(`on the vendor's simulator${missing ? `: ${missing}` : ""}`, () => {
  test.for(cases)(
    `%s in %s: a prompt and ${STEPS} steps`,
    { timeout: 300_000 },
    async ([family, mode], { annotate }) => {
      const { exact, emulated, tokens, expected } = await simulate(FAMILIES[family]!, mode, { steps: STEPS, seed: 7 });
      await annotate(`least cosine: ${least(exact)} with the model, ${least(emulated)} with our emulation`);
      expect(exact).toHaveLength(1 + STEPS);
      expect(Math.min(...emulated), "against our own emulation").toBeGreaterThanOrEqual(0.9999);
      if (mode !== "int4") expect(Math.min(...exact)).toBeGreaterThanOrEqual(mode === "F16" ? 0.9999 : 0.999);
      if (mode === "F16") expect(tokens).toEqual(expected);
    },
  );

  // Sizes as they are published for tests: small, and without room for codes in groups.
  test.for(inTurn(takenGoldens()))(
    `%s, a golden model's config, in F16: a prompt and ${STEPS} steps`,
    { timeout: 300_000 },
    async (name, { annotate }) => {
      const { exact } = await simulate(readGoldenConfig(name), "F16", { steps: STEPS, seed: 7 });
      await annotate(`least cosine: ${least(exact)}`);
      expect(Math.min(...exact)).toBeGreaterThanOrEqual(0.9999);
    },
  );
});
