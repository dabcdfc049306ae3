import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codecOf, memorySource, weights } from "@llm/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { Zip } from "../tools/unzip.ts";
import type { EncodedExpr, TopArray } from "../top/top-writer.ts";
import { npzArrays } from "./array-bytes.ts";
import { writeNpz } from "./write-npz.ts";

const folder = mkdtempSync(join(tmpdir(), "llm-npz-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Header and data of an entry, by the published layout of .npy files. */
async function entry(path: string, name: string): Promise<{ header: string; data: Buffer }> {
  const zip = await Zip.open(path);
  try {
    const bytes = await zip.read(`${name}.npy`);
    expect(bytes.subarray(0, 8)).toEqual(Buffer.from("\x93NUMPY\x01\x00", "latin1"));
    const end = 10 + bytes.readUInt16LE(8);
    expect(end % 64).toBe(0);
    return { header: bytes.toString("latin1", 10, end).trim(), data: bytes.subarray(end) };
  } finally {
    await zip.close();
  }
}

const floats = (data: Buffer) => [...new Float32Array(new Uint8Array(data).buffer)];

describe("an npz", () => {
  it("holds each array as a stored .npy that readers find from either end", async () => {
    const path = join(folder, "two.npz");
    const bytes = new Uint8Array(new Float32Array([1, 2, 3, 4, 5, 6]).buffer);
    const written = await writeNpz(path, [
      { name: "h.0/attn weight", dtype: "f32", shape: [2, 3], bytes: () => [bytes.subarray(0, 8), bytes.subarray(8)] },
      { name: "codes", dtype: "u8", shape: [3], bytes: () => [Uint8Array.of(7, 8, 9)] },
    ]);
    const file = readFileSync(path);
    expect(written).toBe(file.length);
    const first = await entry(path, "h.0/attn weight");
    expect(first.header).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    expect(floats(first.data)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await entry(path, "codes")).toEqual({
      header: "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }",
      data: Buffer.from([7, 8, 9]),
    });
    // The compiler goes from front to back, by the sizes in local headers.
    const next = 30 + file.readUInt16LE(26) + file.readUInt32LE(18);
    expect(file.readUInt32LE(next)).toBe(0x04034b50);
    expect(file.readUInt32LE(next + 22)).toBe((await entry(path, "codes")).data.length + 128);
  });

  it("refuses an array whose size the compiler couldn't read", async () => {
    const large = { name: "table", dtype: "f32", shape: [2 ** 20, 2 ** 11], bytes: () => [] } as const;
    await expect(writeNpz(join(folder, "large.npz"), [large])).rejects.toThrow("reads arrays of up to 4.3 GB");
  });

  it("says when an array ends early", async () => {
    const short = { name: "short", dtype: "u8", shape: [4], bytes: () => [Uint8Array.of(1)] } as const;
    await expect(writeNpz(join(folder, "short.npz"), [short])).rejects.toThrow("short: 1 bytes, not 4");
  });
});

describe("arrays of leaves", () => {
  it("are a codec's codes with scales and zero points by output, whatever the number of rows", async () => {
    const [rows, columns] = [192, 128];
    const data = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i));
    const source = memorySource({ w: { dtype: "f32", shape: [rows, columns], data } });
    const format = { format: "bm1684x_w4", group: 64 };
    const expr = weights.encode(weights.tensor("w", [rows, columns]), format) as EncodedExpr;
    const part = (name: "data" | "scales" | "zeros", dtype: "u8" | "f32", width: number): TopArray => ({
      name,
      dtype,
      shape: [rows, width],
      from: { kind: "encoded", expr, part: name },
    });
    const path = join(folder, "encoded.npz");
    const arrays = [part("data", "u8", 64), part("scales", "f32", 2), part("zeros", "u8", 2)];
    await writeNpz(path, npzArrays(arrays, source));
    const codes = (await entry(path, "data")).data;
    const scales = floats((await entry(path, "scales")).data);
    const zeros = (await entry(path, "zeros")).data;
    const rounded = data.slice();
    codecOf(format).round(rounded, rows, columns);
    for (const at of [0, 1, 63, 64, 129, rows * columns - 1, 77 * columns + 100]) {
      const [row, column] = [Math.floor(at / columns), at % columns];
      const code = (codes[at >> 1]! >> (4 * (at & 1))) & 15;
      const group = row * 2 + Math.floor(column / 64);
      expect(scales[group]! * (code - zeros[group]!)).toBe(rounded[at]);
    }
  });

  it("have a number added where a norm's scale is kept less one", async () => {
    const source = memorySource({ g: { dtype: "f32", shape: [3], data: Float32Array.of(0, 0.5, -1) } });
    const from = { kind: "weight", expr: weights.tensor("g", [3]), plus: 1 } as const;
    const path = join(folder, "plus.npz");
    await writeNpz(path, npzArrays([{ name: "g", dtype: "f32", shape: [3], from }], source));
    expect(floats((await entry(path, "g")).data)).toEqual([1, 1.5, 0]);
  });
});

describe("a zip", () => {
  it("that is cut off, or changed, is refused by name", async () => {
    const path = join(folder, "damaged.npz");
    await writeNpz(path, [{ name: "a", dtype: "u8", shape: [200], bytes: () => [new Uint8Array(200)] }]);
    const file = readFileSync(path);
    writeFileSync(path, file.subarray(0, -30));
    await expect(Zip.open(path)).rejects.toThrow(/is no zip file, or was cut off$/);
    file[250] ^= 1;
    writeFileSync(path, file);
    await expect(entry(path, "a")).rejects.toThrow(/damaged.npz is damaged at a.npy$/);
  });
});
