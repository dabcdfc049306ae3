import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyGolden, goldenNames, readGolden } from "@llm/fixtures";
import { cpuTarget } from "@llm/target-cpu";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ExportReport, exportModel } from "./export-model.ts";
import { exportOnnx } from "./export-onnx.ts";
import { type Model, openModel } from "./open-model.ts";

let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "zero-copy-"));
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** Bytes of weights written anew, and how many files of the checkpoint are linked to. */
function weightsOf({ files }: ExportReport): string {
  const written = files
    .filter(({ path, linked }) => path.endsWith(".onnx.data") && !linked)
    .reduce((sum, { bytes }) => sum + bytes, 0);
  return `${written} written, ${files.filter(({ linked }) => linked).length} linked`;
}

function open(name: string): Promise<Model> {
  const { position, norm_head } = readGolden(name).overrides ?? {};
  return openModel(copyGolden(name, join(work, "checkpoints")), {
    config: position === undefined ? [] : [`position=${position}`, `norm_head=${norm_head}`],
  });
}

/** Losing zero-copy shows nowhere but here: the numbers stay right and the export only gets slower and larger. */
it("leaves weights where they are, as far as each architecture's layout allows", async () => {
  const lines: string[] = [];
  for (const name of goldenNames()) {
    const model = await open(name);
    try {
      const onnx = await exportOnnx(model, { folder: join(work, `${name}-onnx`) });
      const cpu = await exportModel(model, cpuTarget, {
        folder: join(work, `${name}-cpu`),
        env: { XDG_CACHE_HOME: join(work, "cache") },
      });
      lines.push(`${name}: onnx ${weightsOf(onnx)}; cpu ${weightsOf(cpu)}`);
    } finally {
      await model.close();
    }
  }
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("zero-copy.txt");
}, 300_000);
