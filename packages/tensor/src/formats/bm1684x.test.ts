import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { codecOf } from "./index.ts";

// Out of what the compiler itself made: tooling/formats/bm1684x_fixtures.py.
interface Fixture {
  readonly rows: number;
  readonly columns: number;
  readonly group: number;
  readonly weights: string;
  readonly cases: readonly {
    readonly bits: number;
    readonly channel: boolean;
    readonly symmetric: boolean;
    readonly weight: string;
    readonly scale: string;
    readonly zp: string;
  }[];
}
const fixture: Fixture = JSON.parse(readFileSync(new URL("../../fixtures/bm1684x.json", import.meta.url), "utf8"));
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));

test.each(fixture.cases)(
  "W$bits F16, symmetric $symmetric: codes, scales and zero points are those of the compiler",
  (expected) => {
    const { rows, columns, group } = fixture;
    const codec = codecOf(
      expected.channel
        ? { format: "bm1684x_w8_channel" }
        : { format: `bm1684x_w${expected.bits}`, group, symmetric: expected.symmetric },
    );
    const weights = new Float32Array(bytes(fixture.weights).buffer);
    const { data, scales, zeros } = codec.encode(weights, rows, columns);
    expect(new Uint8Array(data!.buffer)).toEqual(bytes(expected.weight));
    expect(scales).toEqual(new Uint16Array(bytes(expected.scale).buffer));
    expect(zeros).toEqual(bytes(expected.zp));
  },
);

test("outputs that don't fill the lanes are refused", () => {
  expect(() => codecOf({ format: "bm1684x_w4" }).parts(32, 128)).toThrow(
    "a linear of [32, 128] can't be laid out for BM1684X: outputs come in 64s, inputs in groups of 64",
  );
});
