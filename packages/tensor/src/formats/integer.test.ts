import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { f16ToF32 } from "../half.ts";
import { codecOf, type Parts } from "./index.ts";

// ONNX Runtime's own quantiser and kernel: tooling/formats/ort_fixtures.py.
interface Case {
  readonly rows: number;
  readonly columns: number;
  readonly bits: 4 | 8;
  readonly group: number;
  readonly symmetric: boolean;
  readonly weights: string;
  readonly data: string;
  readonly scales: string;
  readonly zeros: string;
  readonly x: string;
  readonly y: string;
}
const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL("../../fixtures/matmulnbits.json", import.meta.url), "utf8"),
);
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));
const floats = (text: string) => new Float32Array(bytes(text).buffer);

describe.each(cases)("MatMulNBits, $bits bits, [$rows, $columns], group $group, symmetric $symmetric", (c) => {
  const codec = codecOf({ format: `matmulnbits${c.bits}`, group: c.group, symmetric: c.symmetric });
  const zeros: Parts = c.symmetric ? {} : { zeros: bytes(c.zeros) };

  test("packs the bytes that ONNX Runtime's quantiser packs", () => {
    const parts = codec.encode(floats(c.weights), c.rows, c.columns);
    expect(parts.scales).toEqual(floats(c.scales));
    expect(parts.zeros).toEqual(zeros.zeros);
    expect(withoutFilling(parts.data as Uint8Array, c)).toEqual(withoutFilling(bytes(c.data), c));
  });

  test("unpacks to the weights that its kernel multiplies with", () => {
    const weights = codec.decode({ data: bytes(c.data), scales: floats(c.scales), ...zeros }, c.rows, c.columns);
    const x = floats(c.x);
    const y = floats(c.y);
    for (let n = 0; n < y.length; n++) {
      const [batch, output] = [Math.floor(n / c.rows), n % c.rows];
      let sum = 0;
      for (let i = 0; i < c.columns; i++) sum += x[batch * c.columns + i]! * weights[output * c.columns + i]!;
      // Kernels may take the input as 8 bits.
      expect(Math.abs(sum - y[n]!)).toBeLessThan(0.02);
    }
  });
});

/** Codes of real columns; what the last group is filled up with is nobody's business. */
function withoutFilling(data: Uint8Array, { rows, columns, bits, group }: Case): number[] {
  const rowBytes = (Math.ceil(columns / group) * group * bits) / 8;
  return Array.from({ length: rows }, (_, row) => [
    ...data.subarray(row * rowBytes, row * rowBytes + (columns * bits) / 8),
  ]).flat();
}

test("int8 has its largest magnitude at 127 and a scale a row unless groups are asked for", () => {
  const values = Float32Array.of(0, 127, -63.5, 1.4, 2.54, -2.54, 0.012, 0);
  const row = codecOf({ format: "int8" }).encode(values, 2, 4);
  expect([...row.data!]).toEqual([0, 127, -64, 1, 127, -127, 1, 0]); // 63.5 is a tie, and 64 is even
  expect(f16ToF32(row.scales as Uint16Array)[0]).toBe(1);
  const grouped = codecOf({ format: "int8", group: 32 }).encode(new Float32Array(64).fill(1).fill(2, 32), 1, 64);
  expect(grouped.scales!.length).toBe(2);
});

test("int4 without zero points gives the extreme the lowest code, whatever its sign", () => {
  const values = new Float32Array(32);
  values.set([8, -8, 1, -1]);
  const negative = codecOf({ format: "int4" }).encode(values.with(1, 0), 1, 32);
  expect([...f16ToF32(negative.scales as Uint16Array)]).toEqual([-1]);
  expect([...negative.data!].slice(0, 2)).toEqual([0x80, 0x97]);
  const zeroed = codecOf({ format: "int4", symmetric: false }).encode(values.fill(0).fill(15, 0, 1), 1, 32);
  expect([...zeroed.zeros!]).toEqual([0x80]); // the second nibble is nobody's
  expect(zeroed.data![0]).toBe(0x0f);
});
