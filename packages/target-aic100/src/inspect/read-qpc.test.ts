import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TargetError } from "@llm/target";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { getCompilationBatchSize } from "../compile/batch-size.ts";
import { qpcFile } from "./file-kind.ts";
import { readNetwork } from "./network.ts";
import { readQpc } from "./read-qpc.ts";
import { tinyNetwork, tinyQpc } from "./testing/tiny-qpc.ts";
import { writeQpc } from "./testing/write-qpc.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "aic100-qpc-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(bytes: Uint8Array, name = "programqpc.bin"): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

test.each([0n, 0x7f12_3456_7000n])("a QPC written at %s says what is in it", async (base) => {
  const bytes = tinyQpc({ base });
  const { version, segments, network } = await readQpc(file(bytes));
  expect(version).toBe("0.1");
  expect(segments.map(({ name, bytes: length }) => [name, length])).toEqual([
    ["network.elf", 100],
    ["networkdesc.bin", tinyNetwork().length],
    ["constants.bin", 1000],
  ]);
  expect(bytes[segments[0]!.start]).toBe(0x7f);
  expect(network).toMatchObject({ name: "tiny", version: "9.1", batchSize: 2, cores: 14, threads: 4 });
  expect(network!.inputs.map(({ name, dtype, dims }) => [name, dtype, dims])).toEqual([
    ["input_ids", "int64", [2, 8]],
    ["position_ids", "int64", [2, 8]],
    ["past_key.0", "float16", [2, 1, 32, 4]],
  ]);
  expect(network!.inputs.map(({ isPartialAllowed }) => isPartialAllowed)).toEqual([false, false, true]);
  expect(network!.shapes.map((shapes) => shapes.input_ids!.dims)).toEqual([
    [2, 8],
    [2, 1],
  ]);
  expect(network!.shapes[1]!.logits).toEqual({ dtype: "float32", dims: [2, 1, 300] });
});

// Written down byte by byte from the format's table, with no help from the writer.
test("a header by hand", async () => {
  const hex = [
    "7ccda100 00 01 0100", // magic, version 0.1, slow path
    "4a00000000000000", // 74 bytes
    "0000000000000000",
    "0100000000000000", // one segment
    "2800000000000000", // table at 40
    "0000000000000000 0500000000000000 4800000000000000 4a00000000000000", // no bytes, offset 5, name at 72, start at 74
    "7800", // "x"
  ].join("");
  const bytes = Buffer.from(hex.replaceAll(/[^0-9a-f]/g, ""), "hex");
  expect(await readQpc(file(bytes))).toEqual({
    bytes: 74,
    version: "0.1",
    compression: "slow path",
    segments: [{ name: "x", bytes: 0, start: 74, offset: 5 }],
    inner: [],
  });
});

test("one of several devices holds a QPC for each", async () => {
  const bytes = writeQpc({ segments: { mdp_meta_info: new Uint8Array(8), dev0: tinyQpc(), dev1: tinyQpc() } });
  const path = file(bytes);
  const { inner, network } = await readQpc(path);
  expect(network).toBeUndefined();
  expect(inner.map(({ name, qpc }) => [name, qpc.network?.batchSize])).toEqual([
    ["dev0", 2],
    ["dev1", 2],
  ]);
  const { lines } = await qpcFile.inspect(path);
  expect(lines.find(([name]) => name === "devices")![1]).toBe("2, a QPC each");
  expect(lines.find(([name]) => name === "shapes 2")![1]).toBe(
    "input_ids [2, 1], position_ids [2, 1], logits [2, 1, 300]",
  );
});

test("inspect gives both, and an artefact of its own", async () => {
  const path = file(tinyQpc());
  const { kind, details, lines } = await qpcFile.inspect(path);
  expect(kind).toBe("qpc");
  expect((details.network as { batchSize: number }).batchSize).toBe(2);
  expect(lines.map(([name]) => name)).toEqual([
    "qpc",
    "segments",
    "network",
    "inputs",
    "outputs",
    "shapes 1",
    "shapes 2",
  ]);
  expect((await qpcFile.artefact(path)).manifest.model).toMatchObject({
    name: "tiny",
    vocab: 300,
    context: 32,
    blocks: 1,
  });
});

test("names can't drive the terminal", async () => {
  const path = file(writeQpc({ segments: { "\u001b[2Jhello\n": new Uint8Array(1) } }));
  const text = JSON.stringify((await qpcFile.inspect(path)).lines);
  expect(text).toContain("?[2Jhello?");
});

test("the batch size is in the specializations beside it, else in the QPC", async () => {
  const path = file(tinyQpc({ batch: 3 }));
  expect(await getCompilationBatchSize(folder)).toBe(3);
  expect(await getCompilationBatchSize(path)).toBe(3);
  for (const text of [
    '{"specializations":[{"batch_size":"1","seq_len":"32"},{"batch_size":"4","seq_len":"1"}]}',
    '{"specializations":[{"name":"Decode","symbols":{"batch_size":"4","seq_len":"1"}}]}',
  ]) {
    file(Buffer.from(text), "specializations.json");
    expect(await getCompilationBatchSize(folder)).toBe(4);
  }
  for (const text of ["{", "{}", '{"specializations":[{"batch_size":"x"}]}', '{"specializations":[1]}']) {
    file(Buffer.from(text), "specializations.json");
    await expect(getCompilationBatchSize(folder)).rejects.toThrow("names no batch size");
  }
  rmSync(join(folder, "specializations.json"));
});

test.each<[string, (bytes: Buffer) => Uint8Array, RegExp]>([
  ["empty", () => new Uint8Array(), /doesn't begin as a QPC does/],
  [
    "something else",
    () => Buffer.from("PK\u0003\u0004 a zip, as many .bin files are ................"),
    /doesn't begin/,
  ],
  ["cut off", (bytes) => bytes.subarray(0, 300), /outside of it/],
  [
    "with too many segments",
    (bytes) => changed(bytes, () => bytes.writeBigUInt64LE(1n << 40n, 24)),
    /1099511627776 segments/,
  ],
  [
    "pointing before itself",
    (bytes) => changed(bytes, () => bytes.writeBigUInt64LE(1n << 20n, 16)),
    /before its beginning/,
  ],
  [
    "with a huge size",
    (bytes) => changed(bytes, () => bytes.writeBigUInt64LE(2n ** 64n - 1n, 40)),
    /a size of 18446744073709551615/,
  ],
])("a file that is %s is one line", async (_, damage, message) => {
  const path = file(damage(Buffer.from(tinyQpc())));
  await expect(readQpc(path)).rejects.toMatchObject({
    code: "artefact-damaged",
    message: expect.stringMatching(message),
  });
});

function changed(bytes: Buffer, change: () => unknown): Buffer {
  change();
  return bytes;
}

test("a folder, and nothing at all, are one line too", async () => {
  await expect(readQpc(folder)).rejects.toMatchObject({ code: "artefact-damaged" });
  await expect(readQpc(join(folder, "none.bin"))).rejects.toMatchObject({ code: "artefact-missing" });
});

test("damage anywhere is found or harmless, never a crash", async () => {
  const whole = [tinyQpc(), tinyQpc({ base: 0x1000n }), writeQpc({ segments: { a: tinyQpc(), b: new Uint8Array(3) } })];
  const change = fc.record({
    which: fc.nat(2),
    at: fc.array(fc.nat(), { maxLength: 6 }),
    to: fc.nat(255),
    cut: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ which, at, to, cut }) => {
      const bytes = Uint8Array.from(whole[which]!);
      for (const place of at) bytes[place % bytes.length] = to;
      const path = file(cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes, "damaged.bin");
      await onlyOurs(async () => void (await qpcFile.inspect(path)));
    }),
    { numRuns: 600 },
  );
});

test("a number that is given as bytes is damage", () => {
  const inside = (number: number, bytes: Uint8Array) => Uint8Array.of((number << 3) | 2, bytes.length, ...bytes);
  const [input, port, offset] = [4, 2, 3];
  const damaged = inside(input, inside(port, inside(offset, Uint8Array.of(2, 1))));
  expect(() => readNetwork(damaged)).toThrow("bytes where a number should be");
});

test("any bytes make a description or an error of ours", async () => {
  const mutated = fc.record({ at: fc.array(fc.nat(), { maxLength: 8 }), to: fc.nat(255) }).map(({ at, to }) => {
    const bytes = Uint8Array.from(tinyNetwork());
    for (const place of at) bytes[place % bytes.length] = to;
    return bytes;
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
      await onlyOurs(async () => void readNetwork(bytes));
    }),
    { numRuns: 2000 },
  );
});

async function onlyOurs(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!TargetError.isInstance(error) || error.message.includes("\n")) throw error;
  }
}
