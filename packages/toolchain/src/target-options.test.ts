import { describe, expect, it } from "vitest";
import { targetOptions } from "./target-options.ts";

const text = { kind: "string", doc: "", default: "auto", shapes: true } as const;
const abacus = { id: "abacus", options: { format: { ...text, numberFormat: true }, name: text } } as const;

describe("a target's options", () => {
  it.each([
    ["INT8", "int8"],
    ["F16", "fp16"],
    ["mx6", "mxfp6_e2m3"],
    ["q4_k", "q4_K"],
    ["auto", "auto"],
    ["nonsense", "nonsense"], // the target says what there is
  ])("take %s for the number format %s", (format, name) => {
    expect(targetOptions<unknown>(abacus, { format })).toEqual({ format: name, name: "auto" });
  });

  it("leave every other text as it is", () => {
    expect(targetOptions<unknown>(abacus, { name: "INT8" })).toEqual({ format: "auto", name: "INT8" });
  });
});
