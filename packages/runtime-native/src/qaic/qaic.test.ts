import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { installStandIn, MAPPINGS, writeStandInQpc } from "../testing/stand-in-qaic.ts";
import { buildQaicHost } from "./build-host.ts";
import type { QaicBuffer, QaicHost } from "./host.ts";
import { openQaic } from "./open-qaic.ts";

let folder: string;
let program: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "qaic-host-"));
  installStandIn(join(folder, "sdk"));
  program = await buildQaicHost({ sdk: join(folder, "sdk"), program: join(folder, "made/qaic-host") });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hosts: QaicHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

let runs = 0;
interface Run {
  readonly host: Promise<QaicHost>;
  calls(): readonly string[];
}

function open({
  fail = "",
  devices = [0],
  mappings = MAPPINGS,
}: Partial<{ fail: string; devices: number[]; mappings: string[] }> = {}): Run {
  const log = join(folder, `log-${runs}`);
  const qpc = writeStandInQpc(join(folder, `qpc-${runs++}`), mappings);
  const env = { QAIC_STAND_IN_LOG: log, QAIC_STAND_IN_FAIL: fail };
  const host = openQaic({ program, qpc, devices, env });
  host.then(
    (one) => hosts.push(one),
    () => {},
  );
  return { host, calls: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []) };
}

/** Two rows of ids, the cache kept, logits wanted. */
function step(...ids: readonly bigint[]): readonly QaicBuffer[] {
  const data = new Uint8Array(BigInt64Array.from(ids).buffer);
  return [
    { dims: [2, ids.length / 2], elementBytes: 8, data },
    "kept",
    { dims: [2, 1, 3], elementBytes: 4, data: "wanted" },
    "kept",
  ];
}

function logitsOf([bytes]: readonly Uint8Array[]): readonly number[] {
  return [...new Float32Array(Uint8Array.from(bytes!).buffer)];
}

test("a program is opened, run and closed by the calls that the runtime wants, in their order", async () => {
  const { host, calls } = open();
  const card = await host;
  expect(card.mappings).toEqual([
    { name: "input_ids", isInput: true, bytes: 32, dtype: 7, isPartialAllowed: false },
    { name: "past_key.0", isInput: true, bytes: 64, dtype: 1, isPartialAllowed: true },
    { name: "logits", isInput: false, bytes: 24, dtype: 0, isPartialAllowed: false },
    { name: "past_key.0_RetainedState", isInput: false, bytes: 64, dtype: 1, isPartialAllowed: true },
  ]);
  expect(logitsOf(await card.call(step(1n, 2n, 3n, 4n)))).toEqual([10, 10, 10, 10, 10, 10]);
  expect(logitsOf(await card.call(step(5n, 6n)))[0]).toBe(21); // the device kept what it had
  await card.close();
  await card.close();
  expect(calls()).toEqual([
    "context 0",
    "queue 0",
    "qpc programqpc.bin",
    "mappings",
    "program 0 mapping= retry=60000 data=60000",
    "load",
    "activate",
    "execution",
    "setData input_ids=2x2 past_key.0=0 logits=2x1x3 past_key.0_RetainedState=0",
    "enqueue",
    "wait",
    "setData input_ids=2x1 past_key.0=0 logits=2x1x3 past_key.0_RetainedState=0",
    "enqueue",
    "wait",
    "deactivate",
    "unload",
  ]);
  await expect(card.call(step(1n, 1n))).rejects.toMatchObject({ code: "closed" });
});

test("several devices are named to the program, in the order they were given", async () => {
  const { host, calls } = open({ devices: [4, 5, 6, 7] });
  await host;
  expect(calls()).toContain("context 4,5,6,7");
  expect(calls()).toContain("queue 4");
  expect(calls()).toContain("program 4 mapping=4:5:6:7 retry=60000 data=60000");
});

test("a single device that isn't the first is the one that is used", async () => {
  const { host, calls } = open({ devices: [3] });
  await host;
  expect(calls()).toContain("program 3 mapping= retry=60000 data=60000");
});

test("mappings in another order are put into the order of their indices", async () => {
  const { host } = open({ mappings: MAPPINGS.toReversed() });
  expect((await host).mappings.map(({ name }) => name)).toEqual([
    "input_ids",
    "past_key.0",
    "logits",
    "past_key.0_RetainedState",
  ]);
});

test.each<[string, object, string, RegExp]>([
  ["no card", { devices: [9] }, "device-missing", /Invalid device:9: there is no such card/],
  ["no driver", { fail: "context:driver" }, "device-missing", /Failed to initialize driver: there is no such card/],
  ["another process has it", { fail: "activate:busy" }, "device-failed", /the device is busy: end what uses it/],
  ["a load that takes too long", { fail: "load:timeout" }, "device-failed", /didn't answer in time/],
  ["a file of another SDK", { fail: "qpc:qpc" }, "model-invalid", /compile it with the SDK that is installed here/],
  ["indices with a gap", { mappings: ["logits 1 out 24 0 0"] }, "model-invalid", /counts its inputs and outputs/],
  ["no device", { devices: [] }, "input-invalid", /no device was named/],
  ["a device twice", { devices: [1, 1] }, "input-invalid", /a device was named twice/],
  [
    "a library that ends its process",
    { fail: "load:abort" },
    "device-failed",
    /the runtime's process ended \(SIGABRT\)/,
  ],
])("opening with %s is one line", async (_, given, code, message) => {
  const { host } = open(given);
  await expect(host).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test.each<[string, string, RegExp]>([
  ["wait:timeout", "device-failed", /didn't answer in time/],
  ["wait:reset", "device-failed", /the device was reset while it ran/],
  ["enqueue:busy", "device-failed", /the device is busy/],
])("a step that ends with %s is one line, and the program has to be opened again", async (fail, code, message) => {
  const { host, calls } = open({ fail });
  const card = await host;
  await expect(card.call(step(1n, 2n))).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  await expect(card.call(step(1n, 2n))).rejects.toThrow("no program is open");
  expect(calls().slice(-2)).toEqual(["deactivate", "unload"].slice(fail.startsWith("wait") ? 0 : 0));
});

test("dimensions that the runtime refuses leave the program as it was", async () => {
  const { host } = open({ fail: "setData:dims" });
  const card = await host;
  await expect(card.call(step(1n, 2n))).rejects.toThrow("buffer dimensions match no specialization");
  await expect(card.call(step(1n, 2n))).rejects.toThrow("buffer dimensions match no specialization");
});

test("buffers that don't fit are refused before the runtime sees them", async () => {
  const { host, calls } = open();
  const card = await host;
  const [ids, kept, logits] = step(1n, 2n);
  const refused: readonly [readonly QaicBuffer[], RegExp][] = [
    [[ids!, kept!, logits!], /has 4 inputs and outputs, not 3/],
    [["kept", kept!, logits!, kept!], /input_ids has to be given/],
    [[{ dims: [2, 2], elementBytes: 8, data: new Uint8Array(8) }, kept!, logits!, kept!], /another size/],
    [[{ dims: [2, 9], elementBytes: 8, data: new Uint8Array(144) }, kept!, logits!, kept!], /another size/],
  ];
  for (const [buffers, message] of refused)
    await expect(card.call(buffers)).rejects.toMatchObject({
      code: "input-invalid",
      message: expect.stringMatching(message),
    });
  expect(calls().at(-1)).toBe("execution");
  expect(logitsOf(await card.call(step(1n, 2n)))[0]).toBe(3);
});

test("an SDK without a header, one that is another, and no compiler are one line each; what was built stays", async () => {
  await expect(buildQaicHost({ sdk: join(folder, "none"), program })).rejects.toMatchObject({
    code: "runtime-missing",
    message: expect.stringMatching(/none has no dev\/inc\/QAicApi.hpp: install/),
  });
  const other = join(folder, "other");
  installStandIn(other);
  const compiler = join(folder, "no-such-compiler");
  await expect(buildQaicHost({ sdk: other, program, compiler })).rejects.toThrow("there is no C++ compiler");
  writeFileSync(join(other, "dev/inc/QAicApi.hpp"), "namespace qaic { namespace rt {} }\n");
  await expect(buildQaicHost({ sdk: other, program })).rejects.toMatchObject({
    code: "runtime-version",
    message: expect.stringMatching(/doesn't compile against this SDK: .*error/),
  });
  expect(existsSync(program)).toBe(true);
});
