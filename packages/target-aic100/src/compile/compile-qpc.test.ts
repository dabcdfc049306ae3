import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { getCompilationBatchSize } from "./batch-size.ts";
import { type CompileOptions, compile } from "./compile-qpc.ts";
import { chooseProfile, findSdk } from "./sdk.ts";
import { profileOfVersion, type SdkProfileId } from "./sdk-profiles.ts";
import { installFakeSdk } from "./testing/fake-sdk.ts";
import { writeTinyOnnx } from "./testing/tiny-onnx.ts";

let folder: string;
let onnxPath: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "aic100-compile-"));
  onnxPath = await writeTinyOnnx(join(folder, "onnx"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const EMPTY = "/var/empty/no-sdk";

function withSdk(which: string, more: Partial<CompileOptions> = {}): CompileOptions {
  const sdk = join(folder, "sdk");
  installFakeSdk(sdk, which);
  return { onnxPath, folder: join(folder, "out"), ...more, env: { PATH: "/usr/bin", QAIC_SDK_DIR: sdk, ...more.env } };
}

test.each([
  ["recipe", "qaic-exec 1.20", "qpc/tiny-1bs-32pl-128cl-64c-mx6"],
  ["2024-05", "qaic-exec 1.20", "qpc_16cores_1BS_32PL_128CL_-1MOS_4devices_mxfp6/qpcs"],
  ["1.21", "qaic-exec 1.21", /^qpc-[0-9a-f]{16}\/qpc$/],
  ["1.22", "qaic-compile 1.22", /^qpc-[0-9a-f]{16}\/qpc$/],
  ["today", "qaic-compile 1.23", /^qpc-[0-9a-f]{16}\/qpc$/],
] as const)(
  "%s: %s takes every flag and file, and the folder has its published name",
  async (sdkProfile, which, name) => {
    const lines: string[] = [];
    const options = withSdk(which, { sdkProfile, devices: 4, onLine: (line) => lines.push(line) });
    const { qpcPath, upToDate } = await compile(options);
    expect(upToDate).toBe(false);
    const relative = qpcPath.slice(join(folder, "out").length + 1);
    if (typeof name === "string") expect(relative).toBe(name);
    else expect(relative).toMatch(name);
    expect(readdirSync(qpcPath).sort()).toEqual(["compiled.json", "programqpc.bin"]);
    expect(lines).toEqual([expect.stringMatching(/^Reading .*\.onnx$/), "Compiling", "Done"]);
    expect(readdirSync(join(folder, "out")).some((entry) => entry.startsWith(".compiling"))).toBe(false);
  },
);

test.each([
  ["qaic-exec 1.20", "2024-05"],
  ["qaic-exec 1.21", "1.21"],
  ["qaic-compile 1.22", "1.22"],
  ["qaic-compile 1.23", "today"],
])("the installed %s chooses profile %s", async (which, profile) => {
  const { env } = withSdk(which);
  const sdk = findSdk(env);
  expect(chooseProfile("auto", sdk)).toBe(profile);
  const path = findSdk({ PATH: join(folder, "sdk", "exec") });
  expect(path).toEqual(sdk);
  expect((await compile(withSdk(which))).upToDate).toBe(false);
});

test("versions: from the first of a generation on, and none from what isn't a version", () => {
  const versions = ["1.12.2", "1.20.4", "1.21.0", "1.22.1.0", "1.23", "1.30", "2.0.1", "", "x"];
  expect(versions.map(profileOfVersion)).toEqual([
    "2024-05",
    "2024-05",
    "1.21",
    "1.22",
    "today",
    "today",
    "today",
    undefined,
    undefined,
  ]);
});

test("what was compiled from the same things is found, and anything else is compiled again in its place", async () => {
  const options = withSdk("qaic-exec 1.20", { sdkProfile: "recipe" });
  const { qpcPath } = await compile(options);
  expect(await compile(options)).toMatchObject({ qpcPath, upToDate: true });
  expect(await compile({ ...options, force: true })).toMatchObject({ upToDate: false });

  // The published name says nothing of the cache's format.
  const before = readFileSync(join(qpcPath, "compiled.json"), "utf8");
  expect(await compile({ ...options, mxint8: true })).toMatchObject({ qpcPath, upToDate: false });
  expect(readFileSync(join(qpcPath, "compiled.json"), "utf8")).not.toBe(before);
  await writeTinyOnnx(join(folder, "onnx"), "tiny", 2);
  expect(await compile({ ...options, mxint8: true })).toMatchObject({ upToDate: false });
});

test("a failure leaves what was there, and nothing else", async () => {
  const options = withSdk("qaic-exec 1.20", { sdkProfile: "recipe" });
  const { qpcPath } = await compile(options);
  const before = readFileSync(join(qpcPath, "compiled.json"), "utf8");
  const around = readdirSync(join(folder, "out"), { recursive: true }).sort();
  await withFailure("silent", async () => {
    await expect(compile({ ...options, mxint8: true })).rejects.toThrow();
  });
  expect(readFileSync(join(qpcPath, "compiled.json"), "utf8")).toBe(before);
  expect(readdirSync(join(folder, "out"), { recursive: true }).sort()).toEqual(around);
});

test("the recipe's configuration lies where its scripts have it, and each QPC says its own batch size", async () => {
  const options = withSdk("qaic-exec 1.20", { sdkProfile: "recipe" });
  const two = await compile({ ...options, batchSize: 2 });
  const four = await compile({ ...options, batchSize: 4 });
  const out = join(folder, "out");
  for (const file of ["specializations.json", "mdp.json", "tiny-kv/custom_io.yaml"])
    expect(existsSync(join(out, file)), file).toBe(true);
  // Beside several there is one configuration: the last one's.
  expect(await getCompilationBatchSize(two.qpcPath)).toBe(2);
  expect(await getCompilationBatchSize(four.qpcPath)).toBe(4);
  rmSync(two.qpcPath, { recursive: true });
  rmSync(join(four.qpcPath, "compiled.json"));
  expect(await getCompilationBatchSize(four.qpcPath)).toBe(4);
});

async function withFailure(kind: string, work: () => Promise<void>): Promise<void> {
  process.env.FAKE_QAIC_FAIL = kind;
  try {
    await work();
  } finally {
    delete process.env.FAKE_QAIC_FAIL;
  }
}

test.each([
  ["option", "this SDK doesn't know -device-group: choose the --sdk-profile of its version"],
  ["old", "this SDK is too old to keep caches on the device"],
  ["named", "this SDK reads only flat specializations: choose --sdk-profile 1.22"],
  ["scatter", "this SDK can't write caches at positions (ScatterND)"],
  ["memory", "it was killed, most likely because memory ran out"],
  ["alloc", "it ran out of memory"],
  ["silent", "exit code 3: Compiling"],
  ["nothing", "said it was done, but made no programqpc.bin"],
])("the compiler's failure %s is one clear line", async (kind, message) => {
  await withFailure(kind, async () => {
    const failed = compile(withSdk("qaic-compile 1.22"));
    await expect(failed).rejects.toMatchObject({ code: "unit-failed", message: expect.stringContaining(message) });
    await expect(failed).rejects.toMatchObject({ message: expect.not.stringContaining("\n") });
  });
});

test("named specializations on an SDK that reads flat ones say what to choose instead", async () => {
  const failed = compile(withSdk("qaic-compile 1.22", { sdkProfile: "today" }));
  await expect(failed).rejects.toThrow("choose --sdk-profile 1.22");
});

test("a profile of another generation's compiler is refused before anything is written", async () => {
  const failed = compile(withSdk("qaic-compile 1.22", { sdkProfile: "recipe" }));
  await expect(failed).rejects.toMatchObject({ code: "option-invalid" });
  await expect(failed).rejects.toThrow(/recipe is for qaic-exec; here is .*qaic-compile: choose --sdk-profile 1.22/);
  expect(existsSync(join(folder, "out"))).toBe(false);
});

test.each(["recipe", "2024-05", "today"] satisfies SdkProfileId[])(
  "without an SDK, %s writes a kit, says so, and its script compiles where there is one",
  async (sdkProfile) => {
    const out = join(folder, "out");
    const failed = compile({ onnxPath, folder: out, sdkProfile, env: { QAIC_SDK_DIR: EMPTY } });
    await expect(failed).rejects.toMatchObject({ code: "tool-missing" });
    await expect(failed).rejects.toThrow(/^nothing was compiled: qaic-\w+ .* run \.\/compile\.sh/);
    expect(readdirSync(out)).toEqual(["compile-kit"]);
    const kit = join(out, "compile-kit");
    expect(readdirSync(kit, { recursive: true }).filter((name) => /programqpc|\.bin$/.test(String(name)))).toEqual([]);
    expect(statSync(join(kit, "compile.sh")).mode & 0o111).not.toBe(0);

    const sdk = join(folder, "sdk");
    const run = promisify(execFile);
    const missing = run(join(kit, "compile.sh"), { env: { PATH: process.env.PATH, QAIC_SDK_DIR: EMPTY } });
    await expect(missing).rejects.toMatchObject({ code: 3, stderr: expect.stringContaining("was not found") });
    installFakeSdk(sdk, sdkProfile === "today" ? "qaic-compile 1.23" : "qaic-exec 1.20");
    const env = { PATH: process.env.PATH, QAIC_SDK_DIR: sdk };
    await run(join(kit, "compile.sh"), { cwd: "/", env });
    await run(join(kit, "compile.sh"), { cwd: "/", env }); // and again
    const made = readdirSync(kit, { recursive: true }).map(String);
    expect(made.filter((name) => name.endsWith("programqpc.bin"))).toHaveLength(1);
  },
);

test("weights must be beside the graph", async () => {
  rmSync(join(folder, "onnx", "tiny.onnx.data"));
  await expect(compile(withSdk("qaic-compile 1.22"))).rejects.toThrow("its weights, tiny.onnx.data, are not beside it");
});

test("it stops when asked to", async () => {
  const stop = AbortSignal.abort();
  await expect(compile(withSdk("qaic-compile 1.22", { signal: stop }))).rejects.toMatchObject({ name: "AbortError" });
  expect(readdirSync(join(folder, "out"))).toEqual([]);
});
