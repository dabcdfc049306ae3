import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FORMATS } from "./index.ts";

const COLUMNS = 4096;
const docs = readFileSync(new URL("../../../../docs/formats.md", import.meta.url), "utf8");
/** The section that lists the formats; others have tables too. */
const table = /^## The table$(.*?)^## /ms.exec(docs)![1]!;
const rows = [...table.matchAll(/^\| `(\w+)` +\|(.*)\|$/gm)].map(([, name, cells]) => ({
  name: name!,
  cells: cells!.split("|").map((cell) => cell.trim()),
}));

test("docs/formats.md has every format, and no other", () => {
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(FORMATS));
});

test.each(rows)("docs/formats.md tells the truth about $name", ({ name, cells }) => {
  const { options, make } = FORMATS[name]!;
  const codec = make({});
  const [said, block, bits, parts] = cells as [string, string, string, string];
  const groups = options.group ? [`group ${options.group.join(", ")}`] : [];
  expect(said).toBe([...groups, ...(options.symmetric ? ["symmetric"] : [])].join("; "));
  expect(block).toBe(codec.block(COLUMNS) === COLUMNS ? "row" : String(codec.block(COLUMNS)));
  expect(Number(bits)).toBeCloseTo(codec.bitsPerWeight(COLUMNS), 4);
  expect(parts.split(";")[0]).toBe(Object.keys(codec.parts(COLUMNS, COLUMNS)).join(", "));
  let made = "yes";
  try {
    codec.encode(new Float32Array(COLUMNS * 64), 64, COLUMNS);
  } catch {
    made = "no";
  }
  expect(cells[4]).toBe(made);
});
