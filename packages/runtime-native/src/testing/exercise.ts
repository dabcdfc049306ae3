/**
 * `node exercise.ts`: everything that the addon does with ONNX Runtime, by each of its kernels that this processor can run, from
 * several threads at once, for the sanitizers (`scripts/sanitize.ts`): loads, runs in place and into new memory, calls that fail,
 * models closed while they run, workers that are stopped in the middle.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { addonStatus, loadAddon } from "../addon.ts";
import { bestSearch, findBest, type OrtSession, openOrt, ortTensor } from "../ort/index.ts";
import { type PackedModelOptions, packedModel } from "./packed-model.ts";

/** Whole panels and groups, and such that end in the middle. */
const MODELS: readonly Required<Pick<PackedModelOptions, "bits" | "rows" | "columns" | "bias">>[] = [
  { bits: 4, rows: 512, columns: 512, bias: false },
  { bits: 4, rows: 505, columns: 500, bias: true },
  { bits: 8, rows: 512, columns: 512, bias: true },
  { bits: 8, rows: 505, columns: 500, bias: false },
  { bits: 4, rows: 24, columns: 500, bias: true }, // so few that rows of activations are shared out
];

async function exercise(folder: string, name: string): Promise<void> {
  for (const [i, shape] of MODELS.entries()) {
    const file = packedModel(folder, { name: `${name}-${i}`, ...shape });
    // All workers keep weights in one place, and make and map them at once.
    const kept = { panels: join(folder, `panels-${i}`) };
    for (const ways of [kept, {}, i === 0 ? { kernels: false } : kept]) {
      const model = await openOrt(file, { backend: "addon", threads: 2, prepack: true, ...ways });
      await runs(model, shape);
      const last = model.run({ x: ortTensor("f32", [3, shape.columns]) }, { y: null });
      await model.close();
      await last;
    }
  }
  const broken = join(folder, `${name}-broken.onnx`);
  writeFileSync(broken, "no model, though it says MatMulNBits");
  await expectFailure(openOrt(broken, { backend: "addon" }));
}

async function runs(model: OrtSession, { rows, columns }: (typeof MODELS)[number]): Promise<void> {
  for (const count of [1, 0, 13, 3, 150]) {
    const x = ortTensor("f32", [count, columns], new Float32Array(count * columns).fill(count));
    const into = ortTensor("f32", [count, rows]);
    const best = [bestSearch(into.data as Float32Array, rows, 5, { sums: true })];
    await Promise.all([model.run({ x }, { y: into }, { best }), model.run({ x }, { y: null }, { tidy: true })]);
    findBest(best[0]!);
  }
  await expectFailure(model.run({ x: ortTensor("f32", [1, columns + 1]) }, { y: null }));
}

async function expectFailure(attempt: Promise<unknown>): Promise<void> {
  const failed = await attempt.then(
    () => false,
    () => true,
  );
  if (!failed) throw new Error("this should have failed");
}

/** On this thread and in three workers, of which one is stopped in the middle. */
async function everywhere(folder: string): Promise<void> {
  mkdirSync(folder);
  const workers = [0, 1, 2].map((i) => new Worker(new URL(import.meta.url), { workerData: [folder, `worker-${i}`] }));
  const ends = workers.map((worker) => new Promise<number>((resolve) => worker.on("exit", resolve)));
  setTimeout(() => workers[0]!.terminate(), 300);
  await exercise(folder, "main");
  const codes = await Promise.all(ends);
  if (codes.slice(1).some((code) => code !== 0)) throw new Error(`a worker failed: ${codes}`);
}

if (isMainThread) {
  const status = addonStatus();
  if (status.state !== "loaded") throw new Error(`the addon is not loaded: ${status.reason}`);
  const folder = mkdtempSync(join(tmpdir(), "llm-exercise-"));
  const { ort } = loadAddon().addon!;
  try {
    for (const kernel of ort.kernels()) {
      ort.chooseKernel(kernel);
      await everywhere(join(folder, kernel));
      process.stdout.write(`exercised ${kernel}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
} else await exercise(...(workerData as [string, string]));
