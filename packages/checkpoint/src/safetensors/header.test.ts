import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goldenDir } from "@llm/fixtures";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CheckpointError } from "../error.ts";
import { BinaryFile } from "../files/binary-file.ts";
import type { WeightFile } from "../stored-weights.ts";
import { fuzzRuns } from "../testing/fuzz-runs.ts";
import { safetensorsFile, withHeader } from "../testing/safetensors-file.ts";
import { readSafetensors } from "./header.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "safetensors-"));
});
afterAll(() => rm(root, { recursive: true }));

async function parse(bytes: Uint8Array): Promise<WeightFile> {
  const path = join(root, "x.safetensors");
  await writeFile(path, bytes);
  const file = await BinaryFile.open(path);
  try {
    return await readSafetensors(file);
  } finally {
    await file.close();
  }
}

const entry = (begin: number, end: number, shape = [end - begin], dtype = "U8") =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

test.each<[string, Uint8Array, string, RegExp]>([
  ["empty", new Uint8Array(0), "file-truncated", /has 0 bytes/],
  ["shorter than a length", new Uint8Array(7), "file-truncated", /has 7 bytes/],
  [
    "a header past the end",
    withHeader("{}").subarray(0, 9),
    "file-truncated",
    /header should have 2 bytes, but only 1/,
  ],
  ["an absurd length", new Uint8Array(16).fill(255), "file-truncated", /18446744073709551615/],
  ["a header that isn't JSON", withHeader("{"), "file-invalid", /header is not JSON/],
  ["a header that isn't an object", withHeader("[]"), "file-invalid", /not a JSON object/],
  [
    "cut off data",
    withHeader(`{"a":${entry(0, 8)}}`, new Uint8Array(5)),
    "file-truncated",
    /tensor a: it ends 3 bytes past/,
  ],
  ["bytes of nobody behind", withHeader(`{"a":${entry(0, 4)}}`, new Uint8Array(5)), "file-invalid", /last 1 bytes/],
  ["a gap", withHeader(`{"a":${entry(1, 4)}}`, new Uint8Array(4)), "tensor-invalid", /tensor a: 1 bytes before it/],
  [
    "an overlap",
    withHeader(`{"a":${entry(0, 4)},"b":${entry(2, 6)}}`, new Uint8Array(6)),
    "tensor-invalid",
    /tensor b: it overlaps tensor a/,
  ],
  [
    "the end first",
    withHeader('{"a":{"dtype":"U8","shape":[0],"data_offsets":[4,2]}}', new Uint8Array(4)),
    "tensor-invalid",
    /ends at 2, before/,
  ],
  [
    "a shape that needs more",
    withHeader(`{"a":${entry(0, 4, [3], "F32")}}`, new Uint8Array(4)),
    "tensor-invalid",
    /F32 of shape \[3\] needs 12 bytes, not the 4/,
  ],
  [
    "a dtype that isn't one",
    withHeader(`{"a":${entry(0, 4, [4], "Q9")}}`, new Uint8Array(4)),
    "tensor-invalid",
    /no dtype "Q9"/,
  ],
  [
    "a dtype called constructor",
    withHeader(`{"a":${entry(0, 4, [4], "constructor")}}`, new Uint8Array(4)),
    "tensor-invalid",
    /no dtype "constructor"/,
  ],
  [
    "a negative size",
    withHeader(`{"a":${entry(0, 4, [-4])}}`, new Uint8Array(4)),
    "tensor-invalid",
    /not a list of sizes/,
  ],
  [
    "a shape that overflows",
    withHeader(`{"a":${entry(0, 4, [2 ** 40, 2 ** 40])}}`, new Uint8Array(4)),
    "tensor-invalid",
    /needs/,
  ],
  [
    "too many axes",
    withHeader(`{"a":${entry(0, 1, Array(40).fill(1))}}`, new Uint8Array(1)),
    "tensor-invalid",
    /not a list of sizes/,
  ],
  [
    "a name twice",
    withHeader(`{"a":${entry(0, 4)},"a":${entry(0, 4)}}`, new Uint8Array(4)),
    "tensor-duplicate",
    /tensor a: is in the header twice/,
  ],
  [
    "a name with a line break",
    withHeader(`{"a\\nb":${entry(1, 4)}}`, new Uint8Array(4)),
    "tensor-invalid",
    /tensor a\\nb/,
  ],
])("%s", async (_, bytes, code, message) => {
  const error = await parse(bytes).catch((error) => error);
  expect(error).toBeInstanceOf(CheckpointError);
  expect(error).toMatchObject({ code });
  expect(error.message).toMatch(message);
  expect(error.message).not.toContain("\n");
});

test("a dtype that we can't read is no obstacle for the others", async () => {
  const file = safetensorsFile({
    a: { dtype: "F8_E5M2", shape: [4], bytes: new Uint8Array(4) },
    b: { dtype: "BOOL", shape: [], bytes: new Uint8Array(1) },
  });
  const { tensors, unreadable } = await parse(file);
  expect(tensors.map(({ name }) => name)).toEqual(["b"]);
  expect(unreadable).toMatchObject([{ name: "a", dtype: "F8_E5M2", bytes: 4 }]);
});

test("whatever is written is read back", async () => {
  const dtypes: Record<string, number> = { F32: 4, F16: 2, BF16: 2, I64: 8, U8: 1, BOOL: 1, F64: 8 };
  const tensors = fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== "__metadata__" && name !== "__proto__"),
    fc.record({ dtype: fc.constantFrom(...Object.keys(dtypes)), shape: fc.array(fc.nat(4), { maxLength: 4 }) }),
    { maxKeys: 8 },
  );
  await fc.assert(
    fc.asyncProperty(tensors, async (specs) => {
      const written = Object.fromEntries(
        Object.entries(specs).map(([name, { dtype, shape }], i) => {
          const size = shape.reduce((a, b) => a * b, dtypes[dtype]!);
          return [name, { dtype, shape, bytes: new Uint8Array(size).fill(i + 1) }];
        }),
      );
      const bytes = safetensorsFile(written);
      const { tensors } = await parse(bytes);
      expect(tensors.length).toBe(Object.keys(written).length);
      for (const { name, shape, parts } of tensors) {
        const { offset, length } = parts.data!;
        expect(shape).toEqual(written[name]!.shape);
        expect(bytes.subarray(offset, offset + length)).toEqual(written[name]!.bytes);
      }
    }),
    { numRuns: fuzzRuns(60) },
  );
});

test("a mutated real file is read or refused, never anything else", async () => {
  const original = await readFile(`${goldenDir("fmt_bf16")}/model.safetensors`);
  const headerEnd = 8 + Number(original.readBigUInt64LE(0));
  const mutation = fc.record({
    edits: fc.array(fc.record({ at: fc.nat(headerEnd - 1), byte: fc.nat(255) }), { maxLength: 4 }),
    cut: fc.option(fc.nat(original.length)),
  });
  await fc.assert(
    fc.asyncProperty(mutation, async ({ edits, cut }) => {
      const bytes = Uint8Array.from(original);
      for (const { at, byte } of edits) bytes[at] = byte;
      const damaged = bytes.subarray(0, cut ?? bytes.length);
      const result = await parse(damaged).catch((error) => error);
      if (result instanceof Error) expect(result).toBeInstanceOf(CheckpointError);
      else
        for (const { parts } of result.tensors as WeightFile["tensors"])
          expect(parts.data!.offset + parts.data!.length).toBeLessThanOrEqual(damaged.length);
    }),
    { numRuns: fuzzRuns(300) },
  );
});
