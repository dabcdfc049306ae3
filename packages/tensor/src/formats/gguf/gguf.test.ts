import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { GgufFormat } from "../../format.ts";
import { blockCodecs } from "./index.ts";

// What the gguf package makes of the same blocks: see tooling/formats/gguf_fixtures.py.
interface Fixture {
  readonly packed: string;
  readonly values: string;
  readonly encoded?: string;
}
const fixtures: { inputs: string; types: Record<GgufFormat, Fixture> } = JSON.parse(
  readFileSync(new URL("../../../fixtures/gguf.json", import.meta.url), "utf8"),
);
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));
const floats = (text: string) => new Float32Array(bytes(text).buffer);
const formats = Object.keys(blockCodecs) as GgufFormat[];

test.each(formats)("%s decodes bit for bit as the gguf package does", (format) => {
  const { packed, values } = fixtures.types[format];
  const expected = floats(values);
  const found = new Float32Array(expected.length);
  blockCodecs[format].decode(bytes(packed), found);
  expect(expected.some((value) => Number.isFinite(value) && value !== 0)).toBe(true);
  expect(found).toEqual(expected); // NaN equals NaN, 0 doesn't equal −0
});

test.each(formats.filter((format) => blockCodecs[format].encode))("%s encodes byte for byte", (format) => {
  const inputs = floats(fixtures.inputs);
  const expected = bytes(fixtures.types[format].encoded!);
  const found = new Uint8Array(expected.length);
  blockCodecs[format].encode!(inputs, found);
  expect(found).toEqual(expected);
});
