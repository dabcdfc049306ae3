import { expect, test } from "vitest";
import type { Aic100Options } from "../options.ts";
import { EMULATED } from "../testing/build-golden.ts";
import { chooseSdk, impliedDefaults, settingsOf } from "./settings-of.ts";

test("the recipe starts from its own numbers, and everything can be said otherwise", () => {
  expect(impliedDefaults({ sdk: "recipe" })).toEqual({ promptLen: 256, ctxLen: 1024, format: "mx6" });
  expect(impliedDefaults({ sdk: "recipe", mxfp6: false })).toEqual({ promptLen: 256, ctxLen: 1024 });
  expect(impliedDefaults({ sdk: "today" })).toEqual({});
  expect(impliedDefaults({})).toEqual({});
  expect(impliedDefaults({ mxfp6: true })).toEqual({ format: "mx6" });
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
  expect(() => settingsOf({ ...EMULATED, socs: 4, deviceGroup: [0, 1] }, "model")).toThrow(
    "--socs 4 and --device-group of 2",
  );
  expect(() => settingsOf({ ...EMULATED, deviceGroup: [3, 3] }, "model")).toThrow(
    "--device-group 3,3: one is named twice",
  );
});

test("what the compiler can't do is refused before anything is made", () => {
  const refused = (changed: Partial<Aic100Options>) => () => settingsOf({ ...EMULATED, ...changed }, "model");
  expect(refused({ sdk: "recipe", subFunctions: true })).toThrow("--sdk-profile recipe has no --use-onnx-subfunctions");
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
