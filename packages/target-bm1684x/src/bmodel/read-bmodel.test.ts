import { TargetError } from "@llm/target";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sharedTables, type TinyBmodel, tinyBmodel } from "../testing/tiny-bmodel.ts";
import { parseBmodel } from "./read-bmodel.ts";

const block: TinyBmodel = {
  chip: "BM1684X",
  version: "2.2+v1.30.2-20260831",
  nets: [
    {
      name: "block_0",
      addressMode: 0,
      stages: [
        { weights: { start: 0, bytes: 4096 }, commands: { compute: 3, move: 4, bytes: 256 }, runtimeBytes: 2048 },
      ],
    },
    {
      name: "block_cache_0",
      addressMode: 1,
      stages: [
        {
          weights: { start: 0, bytes: 4096 },
          commands: { compute: 5, move: 6, bytes: 512 },
          runtimeBytes: 1024,
          ioBytes: 128,
        },
      ],
    },
  ],
  poolBytes: 4096 + 768,
};

test("says what is in it", () => {
  const model = parseBmodel(tinyBmodel(block));
  expect(model).toMatchObject({ chip: "BM1684X", version: "2.2+v1.30.2-20260831", devices: 1 });
  expect(model.nets.map(({ name, addressMode }) => [name, addressMode])).toEqual([
    ["block_0", "basic"],
    ["block_cache_0", "io-alone"],
  ]);
  const [stage] = model.nets[0]!.stages;
  expect(stage!.inputs).toEqual([{ name: "input_states", dtype: "f16", shape: [1, 1, 8], bytes: 16, scale: 1 }]);
  expect(stage!.commands).toEqual({ compute: 3, move: 4, bytes: 256 });
});

test("counts weights that nets share once, and the largest of what nets compute with", () => {
  const { memory } = parseBmodel(tinyBmodel(block));
  expect(memory).toEqual({ total: 4096 + 768 + 2048 + 128, weights: 4096, instructions: 768, runtime: 2048, io: 128 });
});

test("a newer format says so", () => {
  expect(() => parseBmodel(tinyBmodel({ ...block, version: "3.0+v2.0" }))).toThrow(/format "3\.0\+v2\.0", newer/);
  expect(() => parseBmodel(tinyBmodel({ ...block, nets: [{ ...block.nets[0]!, addressMode: 9 }] }))).toThrow(
    /not known/,
  );
});

test.each([
  ["nothing", (bytes: Uint8Array) => bytes.subarray(0, 0), /no bmodel/],
  ["another file", () => new TextEncoder().encode('{"model": 1}'.repeat(20)), /no bmodel/],
  ["half a header", (bytes: Uint8Array) => bytes.subarray(0, 40), /ends too early/],
  ["a copy that was cut off", (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 1), /copy it again/],
] as const)("%s is refused in one line", (_, damage, message) => {
  expect(() => parseBmodel(damage(tinyBmodel(block)))).toThrow(message);
});

describe("damaged files", () => {
  const whole = tinyBmodel(block);

  test("bytes changed anywhere give a model or an error of ours", () => {
    const change = fc.record({ at: fc.nat(whole.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = whole.slice();
        for (const { at, value } of changes) bytes[at] = value;
        readable(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  test("a name that breaks lines is told on one", () => {
    const bytes = whole.slice();
    Object.assign(bytes, { 549: 11, 573: 19, 10: 0 }); // a type that is none, of a port whose name is longer than it was
    expect(() => parseBmodel(bytes)).toThrow(/^"output_states\\u0000.*" has a type that is not known \(11\)$/);
  });

  test("so do offsets and lengths that point anywhere", () => {
    const word = fc.record({
      at: fc.nat(whole.length / 4 - 2),
      value: fc.oneof(fc.nat(whole.length), fc.nat(0xffffffff)),
    });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), (words) => {
        const bytes = whole.slice();
        for (const { at, value } of words) new DataView(bytes.buffer).setUint32(4 * at, value >>> 0, true);
        readable(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  // A list of so many offsets at each level, all to one table: a kilobyte would be 60 × 60 × 60 inputs.
  test.each([60, 200])("lists of %s offsets to one table, in lists of such, end", (count) => {
    const bytes = sharedTables(count);
    expect(bytes.length).toBeLessThan(4000);
    const start = process.threadCpuUsage(); // what others do meanwhile isn't counted
    expect(() => parseBmodel(bytes)).toThrow(/again and again/);
    expect(process.threadCpuUsage(start).user / 1000).toBeLessThan(1000);
  });

  test("what is shared a little is read", () => {
    expect(parseBmodel(sharedTables(2)).nets[1]!.stages[1]!.inputs.map(({ name }) => name)).toEqual(["x", "x"]);
  });

  function readable(bytes: Uint8Array): void {
    try {
      parseBmodel(bytes);
    } catch (error) {
      if (!TargetError.isInstance(error)) throw error;
      expect(error.message).not.toContain("\n");
    }
  }
});
