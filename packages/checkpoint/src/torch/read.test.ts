import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { goldenDir } from "@llm/fixtures";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CheckpointError } from "../error.ts";
import { BinaryFile } from "../files/binary-file.ts";
import { openCheckpoint } from "../open.ts";
import { openWeightFiles } from "../shards.ts";
import type { WeightFile } from "../stored-weights.ts";
import { denseBytes } from "../testing/decode.ts";
import { fuzzRuns } from "../testing/fuzz-runs.ts";
import { readTorch } from "./read.ts";

const fixtures = fileURLToPath(new URL("../../fixtures/torch", import.meta.url));

type Expected = Record<string, Record<string, { dtype: string; shape: number[]; sha256: string }>>;
const expected: Expected = JSON.parse(await readFile(join(fixtures, "expected.json"), "utf8"));

const DTYPE_NAMES: Record<string, string> = { float32: "f32", float64: "f64", float16: "f16", bfloat16: "bf16" };
for (const bits of [8, 16, 32, 64]) {
  DTYPE_NAMES[`int${bits}`] = `i${bits}`;
  DTYPE_NAMES[`uint${bits}`] = `u${bits}`;
}

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "torch-"));
});
afterAll(() => rm(root, { recursive: true }));

test.each(Object.keys(expected))("%s holds what torch reads from it", async (name) => {
  const checkpoint = name.endsWith(".bin") ? undefined : await openCheckpoint(goldenDir(name));
  const weights = checkpoint?.weights ?? (await openWeightFiles(fixtures, [name], readTorch));
  const tensors = expected[name]!;
  expect([...weights.names()].sort()).toEqual(Object.keys(tensors).sort());
  for (const [tensorName, { dtype, shape, sha256 }] of Object.entries(tensors)) {
    const tensor = weights.get(tensorName)!;
    expect(tensor.shape, tensorName).toEqual(shape);
    expect(tensor.format, tensorName).toBe(DTYPE_NAMES[dtype] ?? dtype);
    const hash = createHash("sha256").update(await denseBytes(weights, tensor));
    expect(hash.digest("hex"), tensorName).toBe(sha256);
  }
  await (weights as unknown as { close(): Promise<void> }).close();
});

test("a mark can be taken away again, as in Python", async () => {
  const empty = parse(Buffer.concat([legacyHead, pickled("\x80\x02}(0.\x80\x02].")]));
  await expect(empty).rejects.toThrow("holds no state dict");
});

test("tied tensors are the same bytes of the file, and views have strides", async () => {
  const weights = await openWeightFiles(fixtures, ["zip.bin"], readTorch);
  expect(weights.get("tied_a")!.parts).toEqual(weights.get("tied_b")!.parts);
  expect(weights.get("tied_rows")!.parts.data!.offset).toBe(weights.get("tied_a")!.parts.data!.offset + 16);
  expect(weights.get("transposed")!.strides).toEqual([1, 7]);
  expect(weights.get("contiguous")!.strides).toBeUndefined();
  await weights.close();
});

async function parse(bytes: Uint8Array): Promise<WeightFile> {
  const path = join(root, "x.bin");
  await writeFile(path, bytes);
  return read(path);
}

async function read(path: string): Promise<WeightFile> {
  const file = await BinaryFile.open(path);
  try {
    return await readTorch(file);
  } finally {
    await file.close();
  }
}

test("a dtype that can't be read is no obstacle for the others", async () => {
  const { tensors, unreadable } = await read(join(fixtures, "unreadable.bin"));
  expect(tensors.map(({ name }) => name)).toEqual(["a"]);
  expect(unreadable).toMatchObject([{ name: "f8", dtype: "float8_e4m3fn" }]);
});

test.each([
  ["evil.bin", "pickle-refused", /uses posix\.system/],
  ["evil_legacy.bin", "pickle-refused", /uses posix\.system/],
  ["torchscript.bin", "file-invalid", /TorchScript/],
])("%s is refused", async (name, code, message) => {
  await expect(read(join(fixtures, name))).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

const pickled = (...codes: (number | string)[]) =>
  Buffer.concat(codes.map((code) => (typeof code === "string" ? Buffer.from(code, "latin1") : Buffer.from([code]))));
const legacyHead = pickled("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.");

test.each<[string, Uint8Array, string, RegExp]>([
  ["nothing", new Uint8Array(0), "file-invalid", /neither of the two forms/],
  ["text", Buffer.from("hello"), "file-invalid", /neither of the two forms/],
  ["a pickle of something else", pickled("\x80\x02K\x01."), "file-invalid", /not one that PyTorch saved/],
  ["a pickle that ends early", legacyHead, "file-truncated", /cut off/],
  ["an unknown instruction", Buffer.concat([legacyHead, pickled("\x80\x02\xff")]), "file-invalid", /instruction 0xff/],
  [
    "an object of any class",
    Buffer.concat([legacyHead, pickled("\x80\x02(ios\nsystem\n")]),
    "file-invalid",
    /instruction 0x69/,
  ],
  [
    "a value that was never kept",
    Buffer.concat([legacyHead, pickled("\x80\x02h\x05.")]),
    "file-invalid",
    /recalls value 5/,
  ],
  ["more taken than there is", Buffer.concat([legacyHead, pickled("\x80\x020.")]), "file-invalid", /takes a value/],
  [
    "a state dict that is a list",
    Buffer.concat([legacyHead, pickled("\x80\x02].\x80\x02].")]),
    "file-invalid",
    /no state dict/,
  ],
  [
    "eval by another name",
    Buffer.concat([legacyHead, pickled("\x80\x02\x8c\x08builtins\x8c\x04eval\x93.")]),
    "pickle-refused",
    /uses builtins\.eval/,
  ],
])("%s", async (_, bytes, code, message) => {
  const error = await parse(bytes).catch((error) => error);
  expect(error).toBeInstanceOf(CheckpointError);
  expect(error).toMatchObject({ code });
  expect(error.message).toMatch(message);
  expect(error.message).not.toContain("\n");
});

test("a small file that asks for endless work is refused in time", async () => {
  // A list of 60,000 pairs, handed to OrderedDict again and again.
  const pairs = ["\x80\x02NN\x86q\x030]q\x01(", "h\x03".repeat(60_000), "e0ccollections\nOrderedDict\nq\x020"];
  const bomb = Buffer.concat([legacyHead, pickled(...pairs), pickled("h\x02h\x01\x85R0".repeat(20_000)), pickled(".")]);
  await expect(parse(bomb)).rejects.toMatchObject({ code: "file-invalid", message: expect.stringMatching(/steps/) });
});

test("a zip file cut off anywhere is refused", async () => {
  const bytes = await readFile(join(fixtures, "zip.bin"));
  for (let length = 0; length < bytes.length; length += 97)
    await expect(parse(bytes.subarray(0, length))).rejects.toBeInstanceOf(CheckpointError);
});

test.each(["zip.bin", "legacy.bin"])("a mutated %s is read or refused, never anything else", async (name) => {
  const original = await readFile(join(fixtures, name));
  const mutation = fc.record({
    edits: fc.array(fc.record({ at: fc.nat(original.length - 1), byte: fc.nat(255) }), { minLength: 1, maxLength: 6 }),
    cut: fc.option(fc.nat(original.length), { freq: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(mutation, async ({ edits, cut }) => {
      const bytes = Uint8Array.from(original);
      for (const { at, byte } of edits) bytes[at] = byte;
      const damaged = bytes.subarray(0, cut ?? bytes.length);
      const result: WeightFile | Error = await parse(damaged).catch((error) => error);
      if (result instanceof Error) expect(result, result.stack).toBeInstanceOf(CheckpointError);
      else
        for (const { parts } of result.tensors)
          expect(parts.data!.offset + parts.data!.length).toBeLessThanOrEqual(damaged.length);
    }),
    { numRuns: fuzzRuns(400) },
  );
});
