import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COLUMNS, packedModel } from "../testing/packed-model.ts";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { openOrt, ortAddonStatus } from "./open.ts";
import { ortTensor } from "./tensor.ts";

/** `pnpm test:cycles` runs a thousand. */
const CYCLES = Number(process.env.LLM_TEST_CYCLES ?? 150);
/** What opening models leaves behind once: pools of threads and allocators that are kept. */
const WARM = CYCLES / 5;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-cycles-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(skipWithout(ortAddonStatus().used))(
  `${CYCLES} models opened, run and closed leave nothing behind`,
  async () => {
    const file = packedModel(folder);
    const x = ortTensor("f32", [1, COLUMNS]);
    let warm = 0;
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      if (cycle === WARM) warm = process.memoryUsage().rss;
      const model = await openOrt(file, { backend: "addon", threads: 2 });
      await model.run({ x }, { y: null });
      await model.close();
    }
    // A weight is 160 kB in its file and as much in order: one left behind in each cycle would be above.
    expect(process.memoryUsage().rss - warm).toBeLessThan(12e6);
  },
  300_000,
);
