import type { Artefact } from "@llm/target";
import { expect, test } from "vitest";
import { devicesFor } from "./devices.ts";
import { type Aic100Options, defaultOptions } from "./options.ts";

/** Devices for something compiled with options, as a manifest has them; opened with others. */
function opened(made: Partial<Aic100Options>, given: Partial<Aic100Options> = {}): readonly number[] {
  const groups = copies(made, given);
  expect(groups).toHaveLength(1);
  return groups[0]!;
}

function copies(made: Partial<Aic100Options>, given: Partial<Aic100Options> = {}) {
  const options = { socs: null, mesh: null, ...defaultOptions(), ...made };
  return devicesFor({ manifest: { options } } as unknown as Artefact, { ...defaultOptions(), ...given });
}

test("one device: the first, or the one that is named either way", () => {
  expect(opened({})).toEqual([0]);
  expect(opened({}, { device: [3] })).toEqual([3]);
  expect(opened({}, { deviceGroup: [3] })).toEqual([3]);
  expect(opened({}, { device: [3], deviceGroup: [3] })).toEqual([3]);
});

test("several: those that it was compiled for, as many from the one that is named, or those that are named", () => {
  expect(opened({ deviceGroup: [4, 5, 6, 7] })).toEqual([4, 5, 6, 7]);
  expect(opened({ socs: 4 })).toEqual([0, 1, 2, 3]);
  expect(opened({ card: "ultra" }, { device: [4] })).toEqual([4, 5, 6, 7]);
  expect(opened({ deviceGroup: [4, 5] }, { deviceGroup: [1, 0] })).toEqual([1, 0]);
});

test("copies have as many each, one after the other", () => {
  expect(copies({}, { mesh: "2x1" })).toEqual([[0], [1]]);
  expect(copies({ mesh: "3x1" }, { device: [4] })).toEqual([[4], [5], [6]]);
  expect(copies({ mesh: "3x1" }, { mesh: "1x1" })).toEqual([[0]]);
  expect(copies({ socs: 2 }, { mesh: "2x1", deviceGroup: [3, 2, 1, 0] })).toEqual([
    [3, 2],
    [1, 0],
  ]);
  expect(() => copies({ socs: 2 }, { mesh: "2x1", deviceGroup: [0, 1] })).toThrow(
    "for 2 devices, of which 2 copies run: name 4, not 0,1",
  );
});

test("not more and not fewer than it was compiled for", () => {
  expect(() => opened({ socs: 4 }, { deviceGroup: [0, 1] })).toThrow("compiled for 4 devices: name 4, not 0,1");
  expect(() => opened({ socs: 4 }, { deviceGroup: [3] })).toThrow("compiled for 4 devices: name 4, not 3");
  expect(() => opened({}, { device: [0, 1] })).toThrow("compiled for one device: name 1, not 0,1");
  expect(() => opened({}, { device: [3], deviceGroup: [0] })).toThrow("--device 3 and --device-group 0: leave one");
});

test("a program from elsewhere runs where it is told to", () => {
  const foreign = { manifest: { options: {} } } as Artefact;
  const devices = (given: Partial<Aic100Options>) => devicesFor(foreign, { ...defaultOptions(), ...given });
  expect(devices({})).toEqual([[0]]);
  expect(devices({ device: [2, 3] })).toEqual([[2, 3]]);
  expect(devices({ deviceGroup: [5] })).toEqual([[5]]);
  expect(devices({ device: [2, 3], mesh: "2x1" })).toEqual([[2], [3]]);
});
