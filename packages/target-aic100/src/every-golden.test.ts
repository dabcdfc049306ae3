import { goldenNames } from "@llm/fixtures";
import { describe, expect, test } from "vitest";
import { DRIVE_NAMES, type DriveName, drive } from "./testing/golden-cases.ts";

/** One of each kind of cache, position and head; all of them take minutes, and run by `pnpm test:aic100`. */
const FEW = [
  "gpt_bigcode_mqa",
  "gpt2",
  "bloom",
  "mpt_alibi_max",
  "mistral_swa",
  "gemma3_text",
  "llama_gqa_llama3",
  "phi3_longrope_long",
  "deepseek_v2",
  "mixtral",
  "falcon_40b",
  "codegen",
];
const names = process.env.LLM_TEST_AIC100 === "all" ? goldenNames() : FEW;

/** What a way to drive the card is not for. */
const REFUSED: Partial<Record<DriveName, RegExp>> = {
  "cache_index, batch 1": /rotary scaling depends on length/,
  "cache_index, batch 3": /rotary scaling depends on length/,
  "cache_index, chunked prefill": /rotary scaling depends on length/,
};
const BY_LENGTH = ["llama_dynamic_ntk", "phi3_longrope_long", "phi3_longrope_short"];

describe.each(names)("%s", (name) => {
  test.each(DRIVE_NAMES)("%s", async (way) => {
    const refusal = BY_LENGTH.includes(name) ? REFUSED[way] : undefined;
    if (refusal) await expect(drive(name, way)).rejects.toThrow(refusal);
    else expect(await drive(name, way)).toBeLessThan(1e-3);
  });
});
