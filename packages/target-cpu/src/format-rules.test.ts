import { describe, expect, test } from "vitest";
import { parseFormatRules } from "./format-rules.ts";
import { type CpuOptions, packedBits } from "./options.ts";
import { cpuPipeline } from "./pipeline.ts";

const options = (given: Partial<CpuOptions>) => ({ format: "fp32", ...given }) as CpuOptions;

describe("rules by name", () => {
  test("say a format, perhaps with groups, or none", () => {
    expect(parseFormatRules(["lm_head.*=fp32", "*.layers.0.*=int8:64", "*=mxfp4"])).toEqual([
      { match: "lm_head.*" },
      { match: "*.layers.0.*", format: "int8", group: 64 },
      { match: "*", format: "mxfp4" },
    ]);
  });

  test.each(["int8", "=int8", "a=", "a=int8:x", "a=int3", "a=int8:7"])("%s is refused in a line", (rule) => {
    expect(() => parseFormatRules([rule])).toThrow(/^--format-rules [^\n]*$/);
  });

  test("come before the format that everything else gets", () => {
    const [, first] = cpuPipeline(options({ format: "mxfp4", formatRules: ["lm_head.*=fp32"] }));
    expect(first).toEqual({ pass: "quantise", params: { format: "mxfp4", rules: [{ match: "lm_head.*" }] } });
  });

  test("are emulated: the kernels for packed weights know one format for all", () => {
    expect(packedBits(options({ format: "int4" }))).toBe(4);
    expect(packedBits(options({ format: "int4", formatRules: ["lm_head.*=int8"] }))).toBeUndefined();
  });
});
