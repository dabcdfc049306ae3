import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { tinyOnnx } from "../testing/tiny-onnx.ts";
import { bestOf, bestSearch } from "./best.ts";
import { openOrt, ortAddonStatus, ortStepsBack } from "./open.ts";
import { ortTensor } from "./tensor.ts";

const { used } = ortAddonStatus();
const COLUMNS = 3000;
const SCHED_BATCH = 3;

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-threads-"));
  file = join(folder, "square.onnx");
  const square = { type: "f32", shape: ["n", "n"] } as const;
  writeFileSync(
    file,
    tinyOnnx({
      nodes: [{ op: "MatMul", inputs: ["x", "x"], outputs: ["y"] }],
      inputs: [{ ...square, name: "x" }],
      outputs: [{ ...square, name: "y" }],
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the system says of a thread; nothing where it has ended since it was listed. */
function statOf(id: string): string {
  try {
    return readFileSync(`/proc/self/task/${id}/stat`, "utf8");
  } catch {
    return "";
  }
}

/** By thread: how nice it is, and its kind of scheduling. */
function threads(): Map<string, { readonly nice: number; readonly policy: number }> {
  return new Map(
    readdirSync("/proc/self/task").flatMap((id) => {
      const text = statOf(id);
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" "); // from the third on
      return text === "" ? [] : [[id, { nice: Number(fields[16]), policy: Number(fields[38]) }]];
    }),
  );
}

test.skipIf(skipWithout(used && process.platform === "linux"))(
  "threads that compute let the event loop in; it and Node's own are as they were",
  async () => {
    const before = threads();
    const model = await openOrt(file, { backend: "addon", threads: 3 });
    await model.run({ x: ortTensor("f32", [4, 4]) }, { y: null });
    const own = before.get(String(process.pid)) ?? [...before.values()][0]!;
    const wanted = { nice: Math.min(19, own.nice + 1), policy: SCHED_BATCH };
    const all = isDeepStrictEqual(own, wanted); // a test run under `nice -n 19 chrt --batch 0`
    const computing = () =>
      [...threads()].filter(([id, thread]) => !before.has(id) && isDeepStrictEqual(thread, wanted) && !all).length;
    // The one that runs are asked of, and two that help it, which may not have begun yet. None where a sandbox forbids it.
    await vi.waitFor(() => expect(computing()).toBe(ortStepsBack() && !all ? 3 : 0), { timeout: 20_000 });
    const after = threads();
    for (const [id, thread] of before) expect(after.get(id) ?? thread).toEqual(thread);
    await model.close();
  },
);

test.skipIf(skipWithout(used))("models that run leave Node's threads to files", async () => {
  const models = await Promise.all([1, 2, 3, 4].map(() => openOrt(file, { backend: "addon", threads: 1 })));
  let running = 4;
  const runs = models.map((model) =>
    model.run({ x: ortTensor("f32", [COLUMNS, COLUMNS]) }, { y: null }).finally(() => running--),
  );
  await readFile(file);
  expect(running).toBe(4);
  await Promise.all(runs);
  for (const model of models) await model.close();
});

test.each(["addon", "onnxruntime-node"] as const)("the best is found in what a run writes, %s", async (backend) => {
  if (backend === "addon" && !used) return;
  const model = await openOrt(file, { backend });
  const x = ortTensor("f32", [2, 2], Float32Array.of(1, 2, 3, 4));
  const y = ortTensor("f32", [2, 2]);
  const best = bestSearch(y.data as Float32Array, 2, 2, { sums: true });
  const masked = bestSearch(y.data as Float32Array, 2, 1, { allow: Uint32Array.of(1) });
  await model.run({ x }, { y }, { best: [best, masked] });
  expect(best.logits).toEqual(Float32Array.of(10, 7, 22, 15));
  expect(best.ids).toEqual(Int32Array.of(1, 0, 1, 0));
  expect(best.logSumExp![1]).toBeCloseTo(Math.log(Math.exp(15) + Math.exp(22)), 4);
  expect(masked.ids).toEqual(Int32Array.of(0, 0));
  expect(bestOf(y.data as Float32Array, 2, 2).ids).toEqual(best.ids);
  await model.close();
});
