import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Session } from "@llm/target";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { aic100Target } from "../aic100-target.ts";
import { qpcFile } from "../inspect/file-kind.ts";
import { tinyQpc } from "../inspect/testing/tiny-qpc.ts";
import { type Aic100Options, defaultOptions } from "../options.ts";
import { aic100Doctor, buildRuntime } from "./runtime.ts";

const STAND_IN = fileURLToPath(new URL("../../../runtime-native/native/qaic/stand-in", import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "aic100-run-"));
  vi.stubEnv("QAIC_SDK_DIR", join(folder, "sdk"));
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  vi.stubEnv("QAIC_STAND_IN_LOG", join(folder, "log"));
  writeFileSync(join(folder, "programqpc.bin"), tinyQpc());
  const cache = "512 1 1";
  const mappings = [
    "input_ids 0 in 128 7 0",
    "position_ids 1 in 128 7 0",
    `past_key.0 2 in ${cache}`,
    "logits 3 out 2400 0 0",
    `past_key.0_RetainedState 4 out ${cache}`,
  ];
  writeFileSync(join(folder, "mappings.txt"), `${mappings.join("\n")}\n`);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

async function open(given: Partial<Aic100Options> = {}): Promise<Session> {
  return aic100Target.open(await qpcFile.artefact(join(folder, "programqpc.bin")), { ...defaultOptions(), ...given });
}

const states = async () =>
  Object.fromEntries(
    (await aic100Doctor({ env: process.env })).map(({ name, state, fix }) => [name, `${state}: ${fix ?? ""}`]),
  );

test("without the adapter, a line says how to get it", async () => {
  await expect(open()).rejects.toMatchObject({
    code: "tool-missing",
    message: "the adapter to the vendor's runtime is not compiled: llm doctor --target aic100 --build",
  });
  expect((await states()).runtime).toMatch(/^warning: install the Cloud AI Platform SDK/);
  await expect(buildRuntime({ env: process.env }, () => {})).rejects.toMatchObject({ code: "runtime-missing" });
});

test("doctor compiles it, and a QPC from anywhere runs as its shapes say", async () => {
  const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
  const [inc, lib] = [join(folder, "sdk/dev/inc"), join(folder, "sdk/dev/lib", arch)];
  for (const one of [inc, lib]) mkdirSync(one, { recursive: true });
  copyFileSync(join(STAND_IN, "inc/QAicApi.hpp"), join(inc, "QAicApi.hpp"));
  copyFileSync(join(STAND_IN, "stand_in.h"), join(folder, "sdk/dev/stand_in.h"));
  const flags = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-shared", "-fPIC"];
  execFileSync("cc", [...flags, join(STAND_IN, "stand_in.c"), "-o", join(lib, "libQAic.so")]);
  mkdirSync(join(folder, "sdk/versions"));
  writeFileSync(join(folder, "sdk/versions/platform.xml"), "<versions><base_version>1.21.2</base_version></versions>");
  expect((await states()).runtime).toBe("warning: llm doctor --target aic100 --build");
  const said: string[] = [];
  await buildRuntime({ env: process.env }, (line) => said.push(line));
  expect(said.at(-1)).toMatch(/^made .*cache\/llm\/qaic\/qaic-host-1\.21\.2$/);
  expect((await states()).runtime).toBe("ok: ");

  const session = await open({ device: [2, 3] });
  expect(session.limits).toMatchObject({ slots: 2, vocab: 300, chunk: 8 });
  // The stand-in's logits are the sum of all ids it was given: padding is 0.
  const want = { kind: "logits", last: 1 } as const;
  const [first] = await session.step([{ slot: 0, at: 0, tokens: Int32Array.of(1, 2, 3), want }]);
  expect(first!.logits![0]).toBe(6);
  const [second, third] = await session.step([
    { slot: 0, at: 3, tokens: Int32Array.of(4), want },
    { slot: 1, at: 0, tokens: Int32Array.of(5), want },
  ]);
  expect([second!.logits![0], third!.logits![299]]).toEqual([15, 15]);
  await session.close();

  const calls = readFileSync(join(folder, "log"), "utf8").trim().split("\n");
  expect(calls).toContain("program 2 mapping=2:3 retry=60000 data=60000");
  const data = calls.filter((line) => line.startsWith("setData"));
  expect(data[0]).toBe("setData input_ids=2x8 position_ids=2x8 past_key.0=0 logits=2x1x300 past_key.0_RetainedState=0");
  expect(data[1]).toBe("setData input_ids=2x1 position_ids=2x1 past_key.0=0 logits=2x1x300 past_key.0_RetainedState=0");
  expect(calls.slice(-2)).toEqual(["deactivate", "unload"]);
});

test("a group of one is that device, as it is in the library", async () => {
  rmSync(join(folder, "log"), { force: true });
  await (await open({ deviceGroup: [3] })).close();
  expect(readFileSync(join(folder, "log"), "utf8")).toMatch(/^context 3$/m);
  await expect(open({ device: [3], deviceGroup: [0, 1] })).rejects.toThrow(
    "--device 3 and --device-group 0,1: leave one of them out",
  );
});

test("what the first calls take and give is written down, as the emulator's is", async () => {
  const io = join(folder, "io");
  const session = await open({ writeIoDir: io });
  const want = { kind: "logits", last: 1 } as const;
  for (const at of [0, 1]) await session.step([{ slot: 0, at, tokens: Int32Array.of(7), want }]);
  await session.close();
  const { "IO-files": calls } = JSON.parse(readFileSync(join(io, "aic_batch_io.json"), "utf8"));
  const paths = calls.map((call: readonly { readonly path: string }[]) => call.map(({ path }) => path));
  // A prompt of one token is a prompt, whichever call takes it.
  expect(paths).toEqual([
    ["prefill/input_ids.raw", "prefill/position_ids.raw", "prefill/logits.raw"],
    ["decode/input_ids.raw", "decode/position_ids.raw", "decode/logits.raw"],
  ]);
  expect(calls[0].at(-1)).toMatchObject({ "io-direction": "out", dims: [2, 1, 300] });
});

test.each([
  ["wait:timeout", "didn't answer in time"],
  ["wait:reset", "was reset while it ran"],
])("a device that fails (%s) is an error of the session's that says so", async (fail, message) => {
  vi.stubEnv("QAIC_STAND_IN_FAIL", fail);
  const session = await open();
  const step = session.step([{ slot: 0, at: 0, tokens: Int32Array.of(1) }]);
  await expect(step).rejects.toMatchObject({ code: "device", message: expect.stringContaining(message), lost: [0] });
  await session.close();
  vi.stubEnv("QAIC_STAND_IN_FAIL", "");
});

test("no such card is something that is missing", async () => {
  await expect(open({ device: [9] })).rejects.toMatchObject({
    code: "tool-missing",
    message: expect.stringContaining("no such card"),
  });
});
