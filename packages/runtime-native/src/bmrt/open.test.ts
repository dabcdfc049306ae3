import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { addon, addonStatus } from "../addon.ts";
import { NativeError } from "../error.ts";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { hasCompiler, standIn } from "../testing/stand-in-bmrt.ts";
import type { Bmrt, BmrtCommand, BmrtLibraries, BmrtOptions } from "./device.ts";
import { openBmrt } from "./open.ts";

const able = addon() !== undefined && hasCompiler && process.platform === "linux";

let folder: string;
let libraries: BmrtLibraries;
let bmodel: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-bmrt-"));
  bmodel = join(folder, "two.bmodel");
  writeFileSync(bmodel, "nets 2\nadd 2 1 4\nfan 1 3 4\n");
  if (able) libraries = standIn(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const open = (options: Partial<BmrtOptions> = {}): Promise<Bmrt> => openBmrt({ libraries, ...options });
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const numbers = (bytes: Uint8Array) => [...new Float32Array(bytes.slice().buffer)];
const caught = (work: Promise<unknown>): Promise<NativeError> =>
  work.then(
    () => expect.fail("nothing was thrown"),
    (error: unknown) => (NativeError.isInstance(error) ? error : expect.fail(String(error))),
  );

describe.skipIf(skipWithout(able))(`devices (needs the addon and cc: ${addonStatus().state})`, () => {
  test("say what was loaded", async () => {
    const bmrt = await open();
    const nets = await bmrt.load(0, bmodel);
    expect(nets.map(({ name, inputs, outputs }) => [name, inputs.length, outputs.length])).toEqual([
      ["add", 2, 1],
      ["fan", 1, 3],
    ]);
    expect(nets[0]).toMatchObject({
      addressMode: "io-alone",
      stages: [{ inputs: [{ shape: [1, 4], bytes: 16 }, {}] }],
    });
    await bmrt.close();
  });

  test("a library of 2023 isn't asked what it doesn't know", async () => {
    const bmrt = await open({ libraries: standIn(folder, "2023") });
    expect(bmrt.newer).toBe(false);
    expect((await bmrt.load(0, bmodel))[0]).not.toHaveProperty("addressMode");
    await bmrt.close();
  });

  test("do commands in order, also at places within buffers", async () => {
    const bmrt = await open();
    await bmrt.load(0, bmodel);
    const [x, y] = [await bmrt.allocate(0, 16), await bmrt.allocate(0, 32)];
    const read = await bmrt.run([
      { do: "write", device: 0, to: [x, 0], data: floats(1, 2, 3, 4) },
      { do: "copy", device: 0, to: [y, 16], fromDevice: 0, from: [x, 0], bytes: 16 },
      {
        do: "launch",
        device: 0,
        net: 0,
        stage: 0,
        inputs: [
          [x, 0],
          [y, 16],
        ],
        outputs: [[y, 0]],
      },
      { do: "read", device: 0, from: [y, 0], bytes: 16 },
      {
        do: "launch",
        device: 0,
        net: 1,
        stage: 0,
        inputs: [[y, 0]],
        outputs: [
          [x, 0],
          [y, 0],
          [y, 16],
        ],
      },
      { do: "read", device: 0, from: [y, 4], bytes: 20 },
    ] satisfies BmrtCommand[]);
    expect(read.map(numbers)).toEqual([
      [2, 4, 6, 8],
      [5, 7, 9, 4, 6],
    ]);
    await bmrt.close();
  });

  test("of which there are several pass data on, in the order that was asked for", async () => {
    vi.stubEnv("STAND_IN_DEVICES", "4");
    const log = join(folder, "calls");
    vi.stubEnv("STAND_IN_LOG", log);
    const bmrt = await open({ devices: [2, 0] });
    const buffers = [await bmrt.allocate(0, 16), await bmrt.allocate(1, 16)];
    const [read] = await bmrt.run([
      { do: "write", device: 0, to: [buffers[0]!, 0], data: floats(1, 2, 3, 4) },
      { do: "copy", device: 1, to: [buffers[1]!, 0], fromDevice: 0, from: [buffers[0]!, 0], bytes: 16 },
      { do: "read", device: 1, from: [buffers[1]!, 0], bytes: 16 },
    ]);
    expect(numbers(read!)).toEqual([1, 2, 3, 4]);
    await bmrt.close();
    const calls = readFileSync(log, "utf8").trim().split("\n");
    expect(calls.filter((call) => /request/.test(call))).toEqual(["2 bm_dev_request", "0 bm_dev_request"]);
    expect(calls.filter((call) => /memcpy/.test(call)).map((call) => call.split(" ")[0])).toEqual(["2", "2", "0", "0"]);
    // Memory goes before its runtime, and that before its device.
    const teardown = calls.filter((call) => /free|destroy/.test(call));
    for (const device of ["2", "0"])
      expect(teardown.filter((call) => call.startsWith(device)).map((call) => call.slice(2))).toEqual([
        "bm_free_device",
        "bmrt_destroy",
        "bm_dev_free",
      ]);
  });

  describe("of which several have terms of a sum", () => {
    const halves = (...values: number[]) => new Uint8Array(Float16Array.from(values).buffer);

    /** Each has its term in a buffer of its own; the sum goes behind the terms of the first two. */
    async function summed(dtype: "f16" | "f32", terms: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
      vi.stubEnv("STAND_IN_DEVICES", "3");
      const bmrt = await open({ devices: [0, 1, 2] });
      const bytes = terms[0]!.length;
      const buffers = await Promise.all(terms.map((_, device) => bmrt.allocate(device, 2 * bytes)));
      const place = (device: number, offset: number) => ({ device, at: [buffers[device]!, offset] as const });
      try {
        return await bmrt.run([
          ...terms.map((data, device): BmrtCommand => ({ do: "write", device, to: place(device, 0).at, data })),
          {
            do: "sum",
            dtype,
            bytes,
            terms: terms.map((_, device) => place(device, 0)),
            to: [place(0, bytes), place(1, bytes)],
          },
          { do: "read", device: 0, from: place(0, bytes).at, bytes },
          { do: "read", device: 1, from: place(1, bytes).at, bytes },
        ]);
      } finally {
        await bmrt.close();
      }
    }

    test("are given it", async () => {
      const read = await summed("f32", [floats(1, 2), floats(0.25, 4), floats(8, -2)]);
      expect(read.map(numbers)).toEqual([
        [9.25, 4],
        [9.25, 4],
      ]);
    });

    test("run at the same time: none is waited for before all have been launched", async () => {
      vi.stubEnv("STAND_IN_DEVICES", "2");
      const log = join(folder, "side-by-side");
      vi.stubEnv("STAND_IN_LOG", log);
      const bmrt = await open({ devices: [0, 1] });
      const places = [];
      for (const device of [0, 1]) {
        await bmrt.load(device, bmodel);
        places.push({ device, at: [await bmrt.allocate(device, 16), 0] as const });
      }
      const launches = places.map(({ device, at }): BmrtCommand => {
        return { do: "launch", device, net: 0, stage: 0, inputs: [at, at], outputs: [at] };
      });
      await bmrt.run([...launches, { do: "sum", dtype: "f32", bytes: 16, terms: places, to: places }]);
      await bmrt.close();
      const calls = readFileSync(log, "utf8").trim().split("\n");
      expect(calls.filter((call) => /launch|sync|memcpy/.test(call))).toEqual([
        "0 bmrt_launch_tensor_ex",
        "1 bmrt_launch_tensor_ex",
        "0 bm_thread_sync",
        "0 bm_memcpy_d2s_partial_offset",
        "1 bm_thread_sync",
        "1 bm_memcpy_d2s_partial_offset",
        "0 bm_memcpy_s2d_partial_offset",
        "1 bm_memcpy_s2d_partial_offset",
      ]);
    });

    test("in 16 bits it is rounded once, at the end", async () => {
      // Rounded after each term, 2048 + 1 + 1 would stay 2048.
      const [read] = await summed("f16", [halves(2048, 0.5, 65504), halves(1, 0.25, 32), halves(1, -0.75, -64)]);
      expect([...new Float16Array(read!.slice().buffer)]).toEqual([2050, 0, 65472]);
    });

    test("one that fails is named, and the others are left as they can be closed", async () => {
      vi.stubEnv("STAND_IN_FAIL", "bm_memcpy_d2s_partial_offset:2");
      const error = await caught(summed("f32", [floats(1), floats(2), floats(3)]));
      expect(error).toMatchObject({ code: "device-failed", call: "bm_memcpy_d2s_partial_offset", status: 6 });
      expect(error.message).toBe("device 1: bm_memcpy_d2s_partial_offset failed: data error (6)");
    });

    test("what can't be added up is refused", async () => {
      const bmrt = await open();
      const x = await bmrt.allocate(0, 16);
      const place = { device: 0, at: [x, 0] } as const;
      const sum = { do: "sum", dtype: "f32", bytes: 16, terms: [place], to: [place] } as const;
      const bad: readonly [BmrtCommand, RegExp][] = [
        [{ ...sum, terms: [] }, /a sum of nothing/],
        [{ ...sum, dtype: "i32" }, /i32 can't be added up/],
        [{ ...sum, bytes: 2 ** 46 }, /70368744177664 bytes at 0 of a buffer of 16/],
        [{ ...sum, terms: [{ ...place, device: 1 }] }, /device 1 was not opened/],
      ];
      for (const [command, message] of bad) expect((await caught(bmrt.run([command]))).message).toMatch(message);
      await bmrt.close();
    });
  });

  test("that don't exist are refused before the vendor's code is asked for them", async () => {
    vi.stubEnv("STAND_IN_DEVICES", "2");
    const error = await caught(open({ devices: [0, 5] }));
    expect(error).toMatchObject({ code: "device-missing", message: "there is no device 5: devices 0 to 1 are there" });
    vi.stubEnv("STAND_IN_DEVICES", "0");
    expect((await caught(open())).message).toBe("there is no device 0: none was found");
  });

  test.each([
    ["bm_dev_request:1", 1, /device not ready/],
    ["bm_malloc_device_byte:1", 5, /out of device memory/],
    ["bm_memcpy_s2d_partial_offset:1", 6, /data error/],
    ["bm_thread_sync:1", 3, /timeout/],
    ["bmrt_launch_tensor_ex:1", 0, /launch of add failed/],
  ])("%s fails as an error with the vendor's number", async (fail, status, message) => {
    vi.stubEnv("STAND_IN_FAIL", fail);
    const error = await caught(useOnce(open()));
    expect(error).toMatchObject({ code: "device-failed", call: fail.split(":")[0], status });
    expect(error.message).toMatch(message);
  });

  test("go on after a failure", async () => {
    vi.stubEnv("STAND_IN_FAIL", "bmrt_launch_tensor_ex:1");
    const bmrt = await open();
    await caught(use(bmrt));
    expect(numbers((await use(bmrt))[0]!)).toEqual([2, 4, 6, 8]);
    await bmrt.close();
  });

  test("a bmodel that the runtime refuses is named", async () => {
    const bmrt = await open();
    const file = join(folder, "none.bmodel");
    expect(await caught(bmrt.load(0, file))).toMatchObject({ code: "model-invalid", file });
    await bmrt.close();
  });

  test("an assertion of the vendor's ends its process and not ours", async () => {
    vi.stubEnv("STAND_IN_ABORT", "bmrt_launch_tensor_ex:1");
    const lines: string[] = [];
    const bmrt = await open({ onOutput: (line) => lines.push(line) });
    const error = await caught(use(bmrt));
    expect(error.code).toBe("device-failed");
    // Leaving a thread by exit() may end in node's own handlers.
    expect(error.message).toMatch(
      /^the vendor's runtime ended \((exit 255|SIGABRT)\): ASSERT stand_in\.c: bmrt_launch_tensor_ex: 1: 0$/,
    );
    expect(lines).toContain("noise on the output");
    expect((await caught(use(bmrt))).message).toBe(error.message);
    await bmrt.close();
  });

  test("places outside a buffer are refused", async () => {
    const bmrt = await open();
    await bmrt.load(0, bmodel);
    const x = await bmrt.allocate(0, 16);
    const bad: readonly [BmrtCommand, RegExp][] = [
      [{ do: "read", device: 0, from: [x, 8], bytes: 12 }, /12 bytes at 8 of a buffer of 16/],
      [{ do: "read", device: 0, from: [x, 0], bytes: 2 ** 46 }, /^70368744177664 bytes at 0 of a buffer of 16/],
      [{ do: "read", device: 0, from: [99, 0], bytes: 4 }, /no buffer 99/],
      [{ do: "read", device: 3, from: [x, 0], bytes: 4 }, /device 3 was not opened/],
      [{ do: "launch", device: 0, net: 0, stage: 1, inputs: [], outputs: [] }, /no stage 1/],
      [{ do: "launch", device: 0, net: 0, stage: 0, inputs: [[x, 0]], outputs: [[x, 0]] }, /another number of inputs/],
      [{ do: "launch", device: 0, net: 7, stage: 0, inputs: [], outputs: [] }, /no such net/],
    ];
    for (const [command, message] of bad) expect((await caught(bmrt.run([command]))).message).toMatch(message);
    await bmrt.free(0, x);
    expect((await caught(bmrt.run([{ do: "read", device: 0, from: [x, 0], bytes: 4 }]))).message).toMatch(/no buffer/);
    await bmrt.close();
  });

  test("closing twice is fine, and what comes after is refused", async () => {
    const bmrt = await open();
    await bmrt.close();
    await bmrt.close();
    expect((await caught(bmrt.allocate(0, 4))).code).toBe("closed");
  });

  test("a file that is no such library says so", async () => {
    const error = await caught(open({ libraries: { bmlib: process.execPath, bmrt: process.execPath } }));
    expect(error.code).toBe("runtime-version");
    expect(error.message).not.toContain("\n");
  });
});

/** Loads, and adds two buffers. */
async function use(bmrt: Bmrt): Promise<readonly Uint8Array[]> {
  await bmrt.load(0, bmodel);
  const x = await bmrt.allocate(0, 16);
  return bmrt.run([
    { do: "write", device: 0, to: [x, 0], data: floats(1, 2, 3, 4) },
    {
      do: "launch",
      device: 0,
      net: 0,
      stage: 0,
      inputs: [
        [x, 0],
        [x, 0],
      ],
      outputs: [[x, 0]],
    },
    { do: "read", device: 0, from: [x, 0], bytes: 16 },
  ]);
}

async function useOnce(opening: Promise<Bmrt>): Promise<unknown> {
  const bmrt = await opening;
  return use(bmrt).finally(() => bmrt.close());
}
