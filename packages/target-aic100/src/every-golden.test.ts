import { goldenNames } from "@llm/fixtures";
import { describe, expect, test } from "vitest";
import { DRIVE_NAMES, drive } from "./testing/golden-cases.ts";

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
const isAll = process.env.LLM_TEST_AIC100 === "all";
/** Many small programs take a while to open: one of each way to share layers. */
const SHARED = ["gpt_bigcode_mqa", "bloom", "mixtral", "deepseek_v2"];

describe.each(isAll ? goldenNames() : FEW)("%s", (name) => {
  const ways = DRIVE_NAMES.filter((way) => isAll || !way.includes("programs") || SHARED.includes(name));
  test.each(ways)("%s", async (way) => {
    expect(await drive(name, way)).toBeLessThan(1e-3);
  });
});
