import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bind, codecOf, locate, memorySource, read, requireBound, stream, tensor, weights } from "./index.ts";

// What README.md shows, and what it says comes out.
const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("weights by expression", async () => {
  const source = memorySource({ "c_fc.weight": tensor("f32", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)) });
  const stored = weights.tensor("c_fc.weight", [2, 3]);
  const [bound] = requireBound(bind([weights.permute(stored, [1, 0])], source));
  expect(locate(stored, source, "f32")).toEqual({ file: expect.any(String), offset: 0, length: 24 });
  expect(locate(bound!, source, "f32")).toBeUndefined();
  expect([...(await read(bound!, source, "f16")).data]).toEqual([0x3c00, 0x4400, 0x4000, 0x4500, 0x4200, 0x4600]);
  const lengths = [];
  for await (const bytes of stream(bound!, source, "f16")) lengths.push(bytes.length);
  expect(lengths).toEqual([12]);
});

test("formats", async () => {
  const values = Float32Array.from({ length: 32 }, (_, i) => i / 5);
  const source = memorySource({ "up.weight": tensor("f32", [1, 32], values) });
  const up = weights.encode(weights.tensor("up.weight", [1, 32]), { format: "mxfp6_e2m3" });
  expect((await read(up, source, "f32")).data[31]).toBe(6); // 6.2, in steps of a half up there
  expect([...(await read(up, source, { format: "mxfp6_e2m3", part: "scales" })).data]).toEqual([127]);
  expect(codecOf({ format: "mxfp6_e2m3" }).bitsPerWeight(4096)).toBe(6.25);
});

test("README.md uses nothing that isn't exported", async () => {
  const exported = Object.keys(await import("./index.ts"));
  const imported = [...readme.matchAll(/import \{([^}]+)\} from "@llm\/tensor"/g)].flatMap(([, names]) =>
    names!.split(",").map((name) => name.trim()),
  );
  expect(imported.length).toBeGreaterThan(8);
  for (const name of imported) expect(exported).toContain(name);
});
