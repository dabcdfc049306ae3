import type { Graph } from "@llm/core-ir";
import { expect, test } from "vitest";
import type { Aic100Options } from "../options.ts";
import { EMULATED } from "../testing/build-golden.ts";
import { chooseSdk, impliedDefaults, settingsOf } from "./settings-of.ts";

test("the recipe starts from its own numbers, and everything can be said otherwise", () => {
  expect(impliedDefaults({ sdk: "recipe" })).toEqual({ promptLen: 256, ctxLen: 1024, format: "mx6" });
  expect(impliedDefaults({ sdk: "recipe", mxfp6: false })).toEqual({ promptLen: 256, ctxLen: 1024 });
  const usual = { promptLen: 32, ctxLen: 128 };
  expect(impliedDefaults({ sdk: "today" })).toEqual(usual);
  expect(impliedDefaults({})).toEqual(usual);
  expect(impliedDefaults({ mxfp6: true })).toEqual({ ...usual, format: "mx6" });
});

test("lengths that nobody asked for are as long as there is room for", () => {
  const short = { dims: { context: { max: 24 } } } as unknown as Graph;
  expect(impliedDefaults({}, short)).toEqual({ ctxLen: 24, promptLen: 23 });
  expect(impliedDefaults({ ctxLen: 16 }, short)).toMatchObject({ promptLen: 15 });
  expect(impliedDefaults({ sdk: "recipe" }, short)).toMatchObject({ ctxLen: 24, promptLen: 23 });
});

test("two names for weights that contradict each other are refused, by whichever spelling", () => {
  expect(() => impliedDefaults({ mxfp6: true, format: "fp16" })).toThrow("--format fp16 and --mxfp6: leave one");
  expect(impliedDefaults({ mxfp6: true, format: "MXFP6" as "mx6" })).toMatchObject({ format: "mx6" });
});

test("the cores of the card that is named, and no more; else sixteen, as the recipe has it", () => {
  const cores = (given: Partial<Aic100Options>) => settingsOf({ ...EMULATED, sdk: "1.22", ...given }, "model").numCores;
  expect(cores({})).toBe(16);
  expect(cores({ card: "dl2q" })).toBe(14);
  expect(cores({ card: "dl2q", numCores: 12 })).toBe(12);
  expect(() => cores({ card: "standard", numCores: 16 })).toThrow("--num-cores 16: Standard has 14 in each SoC");
});

test("one number says how many devices share a model, by any of its names; else the card does", () => {
  const devices = (given: Partial<Aic100Options>) => settingsOf({ ...EMULATED, sdk: "1.22", ...given }, "m").devices;
  expect(devices({})).toBe(1);
  expect(devices({ card: "ultra" })).toBe(4);
  expect(devices({ card: "ultra", socs: 1 })).toBe(1);
  for (const four of [{ socs: 4 }, { numDevice: 4 }, { deviceGroup: [4, 5, 6, 7] }]) expect(devices(four)).toBe(4);
  expect(devices({ socs: 4, numDevice: 4, deviceGroup: [0, 1, 2, 3] })).toBe(4);
});

test("options become the compiler's measures", () => {
  const said = {
    ...EMULATED,
    sdk: "1.22" as const,
    format: "mx6" as const,
    deviceGroup: [4, 5],
    numSpeculativeTokens: 3,
  };
  expect(settingsOf(said, "model")).toMatchObject({
    profile: "1.22",
    name: "model",
    devices: 2,
    mxfp6: true,
    speculate: [3],
  });
  const lengths = settingsOf({ ...EMULATED, sdk: "today", compCtxLengths: [1024, 2048] }, "model");
  expect(lengths.compCtxLengths).toEqual({ prefill: [1024, 2048], decode: [1024, 2048] });
  expect(settingsOf({ ...EMULATED, sdk: "today", name: "a b/c" }, "model").name).toBe("a_b_c");
  expect(() => settingsOf({ ...EMULATED, socs: 4, deviceGroup: [0] }, "model")).toThrow(
    "--socs 4 and --device-group 0 disagree",
  );
  expect(() => settingsOf({ ...EMULATED, deviceGroup: [3, 3] }, "model")).toThrow(
    "--device-group 3,3: one is named twice",
  );
});

test("what the compiler can't do is refused before anything is made", () => {
  const refused = (changed: Partial<Aic100Options>) => () => settingsOf({ ...EMULATED, ...changed }, "model");
  expect(refused({ sdk: "recipe", subFunctions: true })).toThrow("--sdk-profile recipe has no --sub-functions");
  expect(refused({ sdk: "1.21", hwVersion: "ai200" })).toThrow("SDK 1.21 compiles for ai100, not for ai200");
  expect(refused({ sdk: "1.22", mos: 0 })).toThrow("--mos 0");
});

test("an SDK's profile is chosen and said; what was said stays, and the emulator needs none", () => {
  const sdk = { programs: { "qaic-exec": "/sdk/exec/qaic-exec" }, root: "/sdk", version: "1.21.2" };
  const options = { ...EMULATED, emulate: false };
  const chosen = chooseSdk(options, sdk);
  expect(chosen.options.sdk).toBe("1.21");
  expect(chosen.notes).toEqual(["using --sdk-profile 1.21, for SDK 1.21.2 in /sdk"]);
  expect(chooseSdk({ ...options, sdk: "recipe" }, sdk)).toEqual({ options: { ...options, sdk: "recipe" }, notes: [] });
  expect(chooseSdk(EMULATED, sdk).notes).toEqual([]);
  expect(chooseSdk(options, undefined)).toMatchObject({ options: { sdk: "1.22" }, notes: [] });
});
