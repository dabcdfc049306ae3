import { fileURLToPath } from "node:url";
import type { Bm1684xMode, Bm1684xOptions } from "../options.ts";
import { optionsOf } from "./options.ts";

/** As little as compiles. */
export const SMALL: Readonly<Record<string, unknown>> = {
  model_type: "gpt_bigcode",
  n_embd: 64,
  n_head: 4,
  n_layer: 1,
  n_inner: 128,
  n_positions: 64,
  vocab_size: 96,
  multi_query: true,
  activation_function: "gelu",
};

/** What its weights are drawn from. */
export const SEED = 3;

/** Modes in which bmodels of `SMALL` are kept, as the compiler made them but for the chip's own program, 5.6 MB of each. */
export const FIXTURES: readonly Bm1684xMode[] = ["F16", "int4"];

export function fixtureOptions(mode: Bm1684xMode): Bm1684xOptions {
  return optionsOf({ mode, ctxLen: 8, name: "model" });
}

export function fixtureFolder(mode: Bm1684xMode): string {
  return fileURLToPath(new URL(`../../fixtures/${mode}`, import.meta.url));
}
