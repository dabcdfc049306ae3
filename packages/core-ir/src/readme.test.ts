import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { expect, it } from "vitest";
import * as coreIr from "./index.ts";

it("the README's first example does what it says", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readme)!;
  const [imports, ...body] = code!.split("\n");
  const names = /\{(.*)\}/
    .exec(imports!)![1]!
    .split(",")
    .map((name) => name.trim());
  const exported = new Map<string, unknown>(Object.entries(coreIr));
  const printed: unknown[] = [];
  const run = new Function("console", ...names, stripTypeScriptTypes(body.join("\n")));
  run({ log: (thing: unknown) => printed.push(thing) }, ...names.map((name) => exported.get(name)));
  const [text, kinds, y] = printed as [string, string[], Float32Array];
  expect(text).toContain('y: f32[n, 3] = activation(linear) {"fn":"silu"}');
  expect(kinds).toEqual(["matmul", "unary", "binary"]);
  [1, 2, 3].forEach((x, i) => {
    expect(y[i]).toBeCloseTo(x / (1 + Math.exp(-x)), 6);
  });
});
