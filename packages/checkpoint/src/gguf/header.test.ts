import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gguf } from "@huggingface/gguf";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CheckpointError } from "../error.ts";
import { BinaryFile } from "../files/binary-file.ts";
import { openCheckpoint } from "../open.ts";
import { fuzzRuns } from "../testing/fuzz-runs.ts";
import { readGgufArray, readGgufHeader } from "./header.ts";
import { type GgufHeader, isArray } from "./types.ts";

const fixtures = fileURLToPath(new URL("../../fixtures/gguf", import.meta.url));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "gguf-"));
});
afterAll(() => rm(root, { recursive: true }));

async function withFile<T>(bytes: Uint8Array, work: (file: BinaryFile) => Promise<T>): Promise<T> {
  const path = join(root, "x.gguf");
  await writeFile(path, bytes);
  const file = await BinaryFile.open(path);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

test("another reader finds the same metadata and tensors", async () => {
  const path = `${fixtures}/gpt_bigcode_mqa.gguf`;
  const other = await gguf(path, { allowLocalFile: true });
  await withFile(await readFile(path), async (file) => {
    const header = await readGgufHeader(file);
    for (const [key, value] of header.metadata)
      expect(isArray(value) ? await readGgufArray(file, value) : value, key).toEqual(
        (other.metadata as Record<string, unknown>)[key],
      );
    expect(header.tensors.map(({ name, type, shape }) => ({ name, type, shape: shape.toReversed() }))).toEqual(
      other.tensorInfos.map(({ name, dtype, shape }) => ({ name, type: dtype, shape: shape.map(Number) })),
    );
    const first = other.tensorInfos[0]!;
    expect(header.tensors[0]!.offset).toBe(Number(other.tensorDataOffset) + Number(first.offset));
  });
});

/** Builds a GGUF file from numbers and texts, so that a test can lie anywhere. */
function file(...parts: (readonly [size: 1 | 4 | 8, value: number | bigint] | string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (part instanceof Uint8Array) return part;
      const [size, value] = typeof part === "string" ? ([8, Buffer.byteLength(part)] as const) : part;
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt(value));
      const number = bytes.subarray(0, size);
      return typeof part === "string" ? Buffer.concat([number, Buffer.from(part)]) : number;
    }),
  );
}
const magic = Buffer.from("GGUF");
const u32 = (value: number) => [4, value] as const;
const u64 = (value: number | bigint) => [8, value] as const;
const head = (tensors: number | bigint, keys: number | bigint) => [magic, u32(3), u64(tensors), u64(keys)] as const;
const info = (name: string, dims: number[], type: number, offset: number) =>
  [name, u32(dims.length), ...dims.map(u64), u32(type), u64(offset)] as const;
const data = new Uint8Array(256);

test.each<[string, Uint8Array, string, RegExp]>([
  ["nothing", new Uint8Array(0), "file-truncated", /in the middle of its header/],
  ["another file", Buffer.from("PK\x03\x04 and so on"), "file-invalid", /not a GGUF file/],
  ["version 1", file(magic, u32(1), u64(0), u64(0)), "file-invalid", /version 1/],
  ["big-endian", file(magic, u32(0x03000000), u64(0), u64(0)), "file-invalid", /big-endian/],
  ["endless tensors", file(...head(2n ** 60n, 0)), "file-invalid", /length of 1152921504606846976/],
  ["too many tensors", file(...head(10_000_000, 0)), "limit-exceeded", /10000000 tensors/],
  ["an endless text", file(...head(0, 1), u64(2 ** 50)), "file-truncated", /middle of its header/],
  ["an endless list", file(...head(0, 1), "a", u32(9), u32(4), u64(2 ** 50)), "file-truncated", /middle of its header/],
  [
    "lists in lists in lists",
    file(
      ...head(0, 1),
      "a",
      u32(9),
      ...Array(6)
        .fill([u32(9), u64(1)])
        .flat(),
    ),
    "file-invalid",
    /nested/,
  ],
  ["a kind of value that isn't one", file(...head(0, 1), "a", u32(77)), "file-invalid", /value type 77/],
  [
    "a key twice",
    file(...head(0, 2), "a", u32(4), u32(1), "a", u32(4), u32(1)),
    "file-invalid",
    /key a is there twice/,
  ],
  ["an odd alignment", file(...head(0, 1), "general.alignment", u32(4), u32(7)), "file-invalid", /alignment of 7/],
  [
    "a type that isn't one",
    file(...head(1, 0), ...info("t", [32], 99, 0), data),
    "tensor-invalid",
    /tensor t: its type, number 99, is not known here/,
  ],
  [
    "broken blocks",
    file(...head(1, 0), ...info("t", [31], 8, 0), data),
    "tensor-invalid",
    /31 values are not whole blocks of 32, as Q8_0/,
  ],
  ["past the end", file(...head(1, 0), ...info("t", [64], 0, 4096), data), "file-truncated", /tensor t: it ends/],
  [
    "off the grid",
    file(...head(1, 0), ...info("t", [4], 0, 4), data),
    "tensor-invalid",
    /offset 4 is no multiple of 32/,
  ],
  ["five axes", file(...head(1, 0), ...info("t", [1, 1, 1, 1, 1], 0, 0), data), "file-invalid", /5 axes/],
  [
    "an overflowing shape",
    file(...head(1, 0), ...info("t", [2 ** 40, 2 ** 40], 0, 0), data),
    "tensor-invalid",
    /makes no sense/,
  ],
  [
    "an overlap",
    file(...head(2, 0), ...info("a", [16], 0, 0), ...info("b", [16], 0, 32), data),
    "tensor-invalid",
    /tensor b: it overlaps tensor a/,
  ],
  [
    "a tensor twice",
    file(...head(2, 0), ...info("a", [8], 0, 0), ...info("a", [8], 0, 32), data),
    "tensor-duplicate",
    /tensor a/,
  ],
])("%s", async (_, bytes, code, message) => {
  const error = await withFile(bytes, readGgufHeader).catch((error) => error);
  expect(error).toBeInstanceOf(CheckpointError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(error.message).not.toContain("\n");
});

test("version 2 is read like version 3", async () => {
  const bytes = file(
    magic,
    u32(2),
    u64(1),
    u64(1),
    "general.alignment",
    u32(4),
    u32(64),
    ...info("t", [2, 3], 0, 0),
    data,
  );
  const { version, tensors } = await withFile(bytes, readGgufHeader);
  expect(version).toBe(2);
  expect(tensors).toMatchObject([{ name: "t", shape: [3, 2], length: 24 }]);
  expect(tensors[0]!.offset % 64).toBe(0);
});

test("an unknown architecture is an error that says which are known", async () => {
  const bytes = file(...head(0, 1), "general.architecture", u32(8), "mamba");
  await writeFile(join(root, "mamba.gguf"), bytes);
  await expect(openCheckpoint(join(root, "mamba.gguf"))).rejects.toMatchObject({
    message: expect.stringMatching(/architecture mamba can't be read .*llama/),
  });
});

test("a model in parts opens by any of them, and misses one by name", async () => {
  const whole = await readFile(`${fixtures}/qwen2.gguf`);
  const empty = file(...head(0, 1), "general.architecture", u32(8), "qwen2");
  const name = (part: number) => join(root, `q-0000${part}-of-00002.gguf`);
  await writeFile(name(1), whole);
  await expect(openCheckpoint(name(1))).rejects.toMatchObject({ code: "file-missing", file: name(2) });
  await writeFile(name(2), empty);
  const checkpoint = await openCheckpoint(name(2));
  expect(checkpoint.config.model_type).toBe("qwen2");
  await checkpoint.close();
});

test("a mutated real file opens or is refused, never anything else", async () => {
  const original = await readFile(`${fixtures}/llama_gqa_llama3.gguf`);
  const mutation = fc.record({
    edits: fc.array(fc.record({ at: fc.nat(9000), byte: fc.nat(255) }), { minLength: 1, maxLength: 5 }),
    cut: fc.option(fc.nat(original.length), { freq: 6 }),
  });
  const path = join(root, "mutated.gguf");
  await fc.assert(
    fc.asyncProperty(mutation, async ({ edits, cut }) => {
      const bytes = Uint8Array.from(original);
      for (const { at, byte } of edits) bytes[at] = byte;
      const damaged = bytes.subarray(0, cut ?? bytes.length);
      await writeFile(path, damaged);
      const result = await openCheckpoint(path).catch((error) => error);
      if (result instanceof Error) {
        expect(result, result.stack).toBeInstanceOf(CheckpointError);
        return;
      }
      for (const { name } of result.describe().tensors) {
        const span = result.weights.get(name).parts.data;
        expect(span.offset + span.length).toBeLessThanOrEqual(damaged.length);
      }
      for (const name of result.files)
        await result.readFile(name).catch((error: unknown) => expect(error).toBeInstanceOf(CheckpointError));
      await result.close();
    }),
    { numRuns: fuzzRuns(300) },
  );
});

test("random bytes after the magic are refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const result: GgufHeader | Error = await withFile(Buffer.concat([magic, bytes]), readGgufHeader).catch(
        (error) => error,
      );
      if (result instanceof Error) expect(result).toBeInstanceOf(CheckpointError);
    }),
    { numRuns: fuzzRuns(100) },
  );
});
