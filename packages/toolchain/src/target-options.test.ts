import type { Graph } from "@llm/core-ir";
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

  it("take a choice by any name that it has", () => {
    const format = {
      kind: "choice",
      doc: "",
      default: "fp16",
      choices: ["fp16", "mx6"],
      choiceAlias: { mxfp6: "mx6" },
      shapes: true,
    } as const;
    const given = (said: string) => targetOptions<unknown>({ id: "abacus", options: { format } }, { format: said });
    expect(["mx6", "MX6", "MXFP6", "FP16"].map(given)).toEqual(
      ["mx6", "mx6", "mx6", "fp16"].map((name) => ({ format: name })),
    );
    expect(() => given("toString")).toThrow('format is one of fp16, mx6, not "toString"');
  });

  it("have defaults that the model decides", () => {
    const ctxLen = { kind: "number", doc: "", default: 512, shapes: true } as const;
    const abacus = {
      id: "abacus",
      options: { ctxLen },
      defaults: (_: unknown, model?: Graph) => (model ? { ctxLen: Number(model.dims.context!.max) } : {}),
    };
    const model = { dims: { context: { max: 64 } } } as unknown as Graph;
    expect(targetOptions<unknown>(abacus, {}, model)).toEqual({ ctxLen: 64 });
    expect(targetOptions<unknown>(abacus, { ctxLen: 512 }, model)).toEqual({ ctxLen: 512 });
    expect(targetOptions<unknown>(abacus, {})).toEqual({ ctxLen: 512 });
  });

  it("take lists of numbers that are such, and name what isn't", () => {
    const devices = { kind: "list", doc: "", default: [0], whole: true, min: 0, shapes: false } as const;
    const given = (device: unknown) => () =>
      targetOptions<unknown>({ id: "abacus", options: { device: devices } }, { device });
    expect(given([3, 0])()).toEqual({ device: [3, 0] });
    expect(given(["x"])).toThrow('device is a list of which each item is a number, not "x"');
    expect(given([0, 0.5])).toThrow("each item is a whole number, not 0.5");
    expect(given([0, -1])).toThrow("each item is at least 0, not -1");
    expect(given(0)).toThrow("device is a list, not 0");
  });
});
