import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { unpackBits } from "./bit-rows.ts";
import { codecOf } from "./index.ts";

// A second implementation, from the specification: tooling/formats/ocp_mx.py.
interface Packed {
  readonly scale: number;
  readonly codes: readonly number[];
}
type Case = { readonly float32: readonly number[] } & Readonly<Record<Name, Packed>>;
type Name = "mxfp6_e2m3" | "mxfp6_e3m2" | "mxfp4" | "mxint8";
const fixture: { elements: Record<Name, number[]>; cases: Case[] } = JSON.parse(
  readFileSync(new URL("../../fixtures/mx.json", import.meta.url), "utf8"),
);
const BITS: Record<Name, 4 | 6 | 8> = { mxfp6_e2m3: 6, mxfp6_e3m2: 6, mxfp4: 4, mxint8: 8 };
const names = Object.keys(BITS) as Name[];

test.each(names)("%s: scales and elements are those of the second implementation", (name) => {
  const codec = codecOf({ format: name });
  for (const { float32, [name]: expected } of fixture.cases) {
    const values = new Float32Array(Uint32Array.from(float32).buffer);
    const { data, scales } = codec.encode(values, 1, 32);
    const codes = new Uint8Array(32);
    unpackBits(new Uint8Array(data!.buffer), 0, BITS[name], codes, 32);
    expect([...scales!], `scale of ${values}`).toEqual([expected.scale]);
    expect([...codes], `codes of ${values}`).toEqual(expected.codes);
    const decoded = codec.decode({ data: data!, scales: scales! }, 1, 32);
    const exact = expected.codes.map((code) => fixture.elements[name][code]! * 2 ** (expected.scale - 127));
    for (const [i, value] of exact.entries()) expect(decoded[i]! + 0).toBe(Math.fround(value) + 0);
  }
});

test("MXFP4 by hand: the largest is 6, so the scale is 1 and 5 is a tie that goes to the even 4", () => {
  const values = new Float32Array(32);
  values.set([6, 5, 2.5, -0.75, 0.25, 0.2, -7]);
  const { data, scales } = codecOf({ format: "mxfp4" }).encode(values, 1, 32);
  expect([...scales!]).toEqual([127]);
  // 6 → 0b0111, 4 → 0110, 2 → 0100, −1 → 1010, 0, 0, −6 → 1111: the first of two in the lower half.
  expect([...data!].slice(0, 4)).toEqual([0x67, 0xa4, 0x00, 0x0f]);
});

test("MXINT8 by hand: steps of 1/64 of the power of two below the largest", () => {
  const values = new Float32Array(32);
  values.set([1, -1.5, 1.999, -2 + 1 / 128, 1 / 128, 3 / 128]);
  const { data, scales } = codecOf({ format: "mxint8" }).encode(values, 1, 32);
  expect([...scales!]).toEqual([127]);
  expect([...data!].slice(0, 6)).toEqual([64, -96, 127, -127, 0, 2]);
});

test("six-bit codes lie one after another, from the lowest bits up", () => {
  const values = new Float32Array(32);
  values.set([1, 2, -4, 7.5]); // codes 8, 16, 56 and 31
  const { data } = codecOf({ format: "mxfp6_e2m3" }).encode(values, 1, 32);
  expect(data!.length).toBe(24);
  expect([...data!].slice(0, 3)).toEqual([8 | ((16 & 3) << 6), (16 >> 2) | ((56 & 15) << 4), (56 >> 4) | (31 << 2)]);
});
