import { describe, expect, test } from "vitest";
import type { Bm1684xMode } from "./options.ts";
import { FAMILIES } from "./testing/families.ts";
import { simulate } from "./testing/simulated.ts";
import { missingToolchain } from "./testing/toolchain.ts";

const missing = missingToolchain();
const MODES: readonly Bm1684xMode[] = ["F16", "int8", "int4"];
const ALL = process.env.LLM_SIMULATOR === "all";
const STEPS = ALL ? 8 : 1;

/** The simulator takes seconds for a block: a plain run has one of them, and a token after the prompt. */
const LAYERS = ALL ? undefined : 1;
const DAY = 24 * 3600 * 1000;

/** `pnpm test:simulator` runs every family in every mode; a plain run GPTBigCode in all, and another in F16, by the day. */
function cases(): readonly (readonly [family: string, mode: Bm1684xMode])[] {
  const others = Object.keys(FAMILIES).filter((family) => family !== "gpt_bigcode");
  if (ALL) return ["gpt_bigcode", ...others].flatMap((family) => MODES.map((mode) => [family, mode] as const));
  const today = others[Math.floor(Date.now() / DAY) % others.length]!;
  return [...MODES.map((mode) => ["gpt_bigcode", mode] as const), [today, "F16"]];
}

/** What configs of several families call their layers. */
const LAYER_KEYS = ["n_layer", "num_hidden_layers", "num_layers"];

function sized(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (LAYERS === undefined) return config;
  const key = LAYER_KEYS.find((name) => name in config)!;
  return { ...config, [key]: LAYERS };
}

function least(cosines: readonly number[]): string {
  return Math.min(...cosines).toFixed(6);
}

describe.skipIf(missing)(`on the vendor's simulator${missing ? `: ${missing}` : ""}`, () => {
  test.for(cases())(
    `%s in %s: a prompt and ${STEPS} steps`,
    { timeout: ALL ? 1_800_000 : 300_000 },
    async ([family, mode], { annotate }) => {
      const { exact, emulated, tokens, expected } = await simulate(sized(FAMILIES[family]!), mode, {
        steps: STEPS,
        seed: 7,
      });
      await annotate(`least cosine: ${least(exact)} with the model, ${least(emulated)} with our emulation`);
      expect(exact).toHaveLength(1 + STEPS);
      expect(Math.min(...emulated), "against our own emulation").toBeGreaterThanOrEqual(0.9999);
      if (mode !== "int4") expect(Math.min(...exact)).toBeGreaterThanOrEqual(mode === "F16" ? 0.9999 : 0.999);
      if (mode === "F16") expect(tokens).toEqual(expected);
    },
  );
});
