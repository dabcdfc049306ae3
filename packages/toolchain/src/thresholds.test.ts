import { describe, expect, it } from "vitest";
import { allowedError, holds, THRESHOLDS, thresholdsFor } from "./thresholds.ts";

describe("thresholds", () => {
  it("are those of the least precise part", () => {
    expect(thresholdsFor({})).toBe(THRESHOLDS.fp32);
    expect(thresholdsFor({ format: "F16" })).toBe(THRESHOLDS.fp16);
    expect(thresholdsFor({ format: "fp32", kvFormat: "mxint8" })).toBe(THRESHOLDS.int8);
    expect(thresholdsFor({ format: "fp16", mxint8: true })).toBe(THRESHOLDS.int8);
    expect(thresholdsFor({ format: "fp16", mxint8: false })).toBe(THRESHOLDS.fp16);
    expect(thresholdsFor({ format: "mxfp4", activations: "fp16" })).toBe(THRESHOLDS.int4);
    const six = thresholdsFor({ format: "mxfp6" });
    expect(six.relative).toBeGreaterThan(THRESHOLDS.int8.relative);
    expect(six.relative).toBeLessThan(THRESHOLDS.int4.relative);
  });

  it("allow a share of what there is, and never what is no number", () => {
    expect(allowedError(50, THRESHOLDS.fp32)).toBeCloseTo(0.01);
    expect(allowedError(0.1, THRESHOLDS.fp32)).toBeCloseTo(2e-4);
    const found = { mse: 0, maxAbs: 0.01, cosine: 1 };
    expect(holds(found, 0.02, THRESHOLDS.fp32)).toBe(true);
    expect(holds({ ...found, maxAbs: Number.NaN }, 0.02, THRESHOLDS.fp32)).toBe(false);
    expect(holds({ ...found, top1Agreement: 0.9 }, 0.02, THRESHOLDS.fp32)).toBe(false);
  });
});
