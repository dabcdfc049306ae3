import { expect, test } from "vitest";
import { loadAddon } from "./addon.ts";
import { cpuFeatures, cpuinfoFeatures, parseCpuinfo } from "./cpu-features.ts";
import { skipWithout } from "./testing/skip-without-addon.ts";

/** What a kernel may be too old to name. */
const YOUNG = ["avx_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "sve2", "i8mm", "bf16"];

test("the flags of the first processor are read, what no kernel asks for is left out", () => {
  const text = "processor\t: 0\nflags\t\t: fpu vme avx2 fma amx_tile\n\nprocessor\t: 1\nflags\t\t: sse4_1\n";
  expect(parseCpuinfo(text)).toEqual(["fma", "avx2", "amx_tile"]);
});

test("arm's line has another name", () => {
  expect(parseCpuinfo("Features\t: fp asimd asimddp i8mm\n")).toEqual(["asimd", "asimddp", "i8mm"]);
});

test("what can't be found out is unknown, not empty", () => {
  expect(parseCpuinfo("cpu : unknown\n")).toBeUndefined();
  expect(cpuinfoFeatures("/nowhere/cpuinfo")).toBeUndefined();
});

test("with or without the addon there is an answer that names its source", () => {
  const { arch, features, source } = cpuFeatures();
  expect(arch).toBe(process.arch);
  expect(["addon", "cpuinfo", "unknown"]).toContain(source);
  expect(source === "unknown").toBe(features.length === 0);
});

const { addon, status } = loadAddon();
const why = status.state === "loaded" ? "" : ` (${status.reason})`;

test.skipIf(skipWithout(addon !== undefined) || process.platform !== "linux")(
  `the processor and the kernel agree${why}`,
  () => {
    const [ours, kernels] = [addon!.cpuFeatures(), cpuinfoFeatures()!];
    expect(ours).toEqual(expect.arrayContaining(kernels));
    const extra = ours.filter((name) => !kernels.includes(name));
    expect(YOUNG).toEqual(expect.arrayContaining(extra));
  },
);
