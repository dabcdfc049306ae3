import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ortKernel } from "@llm/runtime-native/ort";
import type { OpenEvent } from "@llm/target";
import { leavesOf, memorySource, type Tensor } from "@llm/tensor";
import { afterEach, expect, test, vi } from "vitest";
import { cpuTarget } from "../cpu-target.ts";
import { llama } from "../testing/llama.ts";
import { buildFrom, DEFAULTS } from "../testing/open-golden.ts";

const cache = mkdtempSync(join(tmpdir(), "llm-mesh-cache-"));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

/** Large enough for weights in the kernels' order to be kept in a file. */
const graph = llama(768, 3, 32);
const card = { name: "sized", architecture: "llama", vocab: 1024, width: 768, blocks: 3, context: 32, parameters: 0 };

test("what the workers of a mesh take their time for is told as of one process", async () => {
  vi.stubEnv("XDG_CACHE_HOME", cache);
  const weights = graph.weights.map(({ expr }): [string, Tensor] => {
    const [{ name, shape }] = leavesOf(expr) as [{ name: string; shape: readonly number[] }];
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.01);
    return [name, { dtype: "f32", shape: [...shape], data }];
  });
  using built = await buildFrom(memorySource(Object.fromEntries(weights)), graph, card, { format: "int8" });
  const heard: OpenEvent[] = [];
  const options = { ...DEFAULTS, format: "int8", mesh: "2x1", batchSize: 2 };
  const session = await cpuTarget.open(built.artefact, options, undefined, (event) => heard.push(event));
  await session.close();
  const progress = heard.flatMap((event) => (event.kind === "progress" ? [event] : []));
  // Where ONNX Runtime's own kernels multiply, nothing is put in order.
  expect(progress.length > 0).toBe(ortKernel() !== undefined);
  for (const { done, total } of progress) expect(done).toBeLessThanOrEqual(total);
});
