import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COLUMNS, packedModel } from "../testing/packed-model.ts";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { ortAddonStatus } from "./open.ts";

const ROWS = 500;

test.skipIf(skipWithout(ortAddonStatus().used) || process.platform !== "linux")(
  "a process that may have only so many addresses has most of them left when a model has run",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "llm-scratch-"));
    try {
      const program = `
        const { readFileSync } = await import("node:fs");
        const { openOrt, ortTensor } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url))});
        const session = await openOrt(${JSON.stringify(packedModel(folder))}, { backend: "addon", threads: 1 });
        const { y } = await session.run({ x: ortTensor("f32", [${ROWS}, ${COLUMNS}]) }, { y: null });
        if (y.shape[0] !== ${ROWS}) throw new Error("it didn't run");
        console.log(/VmSize:\\s+(\\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1]);`;
      const limit = 40_000_000; // kB; Node itself takes ten, as addresses
      const said = execFileSync(
        "bash",
        ["-c", `ulimit -v ${limit}; exec "$0" --input-type=module -e "$1"`, process.execPath, program],
        { encoding: "utf8" },
      );
      expect(Number(said)).toBeGreaterThan(0);
      expect(Number(said)).toBeLessThan(limit / 2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
