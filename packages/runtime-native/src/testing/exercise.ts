/**
 * `node exercise.ts`: everything that the addon does with ONNX Runtime, from several threads at once, for the sanitizers
 * (`scripts/sanitize.ts`): loads, runs in place and into new memory, calls that fail, models closed while they run, workers
 * that are stopped in the middle.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { addonStatus } from "../index.ts";
import { bestOf, openOrt, ortTensor } from "../ort/index.ts";
import { COLUMNS, packedModel, ROWS } from "./packed-model.ts";

async function exercise(folder: string, name: string): Promise<void> {
  const file = packedModel(folder, { name });
  for (let round = 0; round < 4; round++) {
    // All workers keep weights in one place, and make and map them at once.
    const panels = round % 2 === 1 ? { panels: join(folder, "panels") } : {};
    const model = await openOrt(file, { backend: "addon", threads: 2, prepack: true, kernels: round < 3, ...panels });
    for (const rows of [1, 0, 13, 8]) {
      const x = ortTensor("f32", [rows, COLUMNS], new Float32Array(rows * COLUMNS).fill(rows));
      const into = ortTensor("f32", [rows, ROWS]);
      await Promise.all([model.run({ x }, { y: into }), model.run({ x }, { y: null })]);
      if (rows > 0) bestOf(into.data as Float32Array, ROWS, 5, { sums: true });
    }
    const wrong = ortTensor("f32", [1, COLUMNS + 1]);
    await expectFailure(model.run({ x: wrong }, { y: null }));
    const last = model.run({ x: ortTensor("f32", [3, COLUMNS]) }, { y: null });
    await model.close();
    await last;
  }
  const broken = join(folder, `${name}-broken.onnx`);
  writeFileSync(broken, "no model, though it says MatMulNBits");
  await expectFailure(openOrt(broken, { backend: "addon" }));
}

async function expectFailure(attempt: Promise<unknown>): Promise<void> {
  const failed = await attempt.then(
    () => false,
    () => true,
  );
  if (!failed) throw new Error("this should have failed");
}

if (isMainThread) {
  const status = addonStatus();
  if (status.state !== "loaded") throw new Error(`the addon is not loaded: ${status.reason}`);
  const folder = mkdtempSync(join(tmpdir(), "llm-exercise-"));
  try {
    const workers = [0, 1, 2].map((i) => new Worker(new URL(import.meta.url), { workerData: [folder, `worker-${i}`] }));
    const ends = workers.map((worker) => new Promise<number>((resolve) => worker.on("exit", resolve)));
    setTimeout(() => workers[0]!.terminate(), 300);
    await exercise(folder, "main");
    const codes = await Promise.all(ends);
    if (codes.slice(1).some((code) => code !== 0)) throw new Error(`a worker failed: ${codes}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
  process.stdout.write("exercised\n");
} else await exercise(...(workerData as [string, string]));
