import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COLUMNS, packedModel } from "../testing/packed-model.ts";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { ortAddonStatus } from "./open.ts";

/** `pnpm test:cycles` runs a thousand. */
const CYCLES = Number(process.env.LLM_TEST_CYCLES ?? 150);
/** What opening models leaves behind once: pools of threads and allocators that are kept. */
const WARM = CYCLES / 5;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-cycles-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** In a process of its own, and from two pools of memory only, so that what is left behind is the models' and nobody else's. */
const PROGRAM = `
  const { openOrt, ortTensor } = await import(process.argv[1]);
  const [file, columns, cycles, warm] = process.argv.slice(2);
  const x = ortTensor("f32", [1, Number(columns)]);
  let before = 0;
  for (let cycle = 0; cycle < Number(cycles); cycle++) {
    if (cycle === Number(warm)) before = process.memoryUsage.rss();
    const model = await openOrt(file, { backend: "addon", threads: 2 });
    await model.run({ x }, { y: null });
    await model.close();
  }
  console.log(process.memoryUsage.rss() - before);`;

test.skipIf(skipWithout(ortAddonStatus().used))(`${CYCLES} models opened, run and closed leave nothing behind`, () => {
  const index = new URL("./index.ts", import.meta.url).href;
  const args = ["--input-type=module", "-e", PROGRAM, index, packedModel(folder), COLUMNS, CYCLES, WARM].map(String);
  const env = { ...process.env, MALLOC_ARENA_MAX: "2" };
  const grown = Number(execFileSync(process.execPath, args, { encoding: "utf8", env }));
  // A weight is 160 kB in its file and as much in order: one left behind in each cycle would be above.
  expect(grown).toBeLessThan(12e6);
});
