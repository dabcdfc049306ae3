import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { leavesOf, memorySource, type Tensor } from "@llm/tensor";
import { expect, test } from "vitest";
import { cpuTarget } from "../cpu-target.ts";
import { llama } from "../testing/llama.ts";
import { buildFrom, DEFAULTS } from "../testing/open-golden.ts";

const PROGRAM = fileURLToPath(new URL("../testing/fill-session.ts", import.meta.url));
const CONTEXT = 512;
/** 28 million weights: so large that a program's own ups and downs are small beside them. */
const graph = llama(768, 4, CONTEXT);
const card = {
  name: "sized",
  architecture: "llama",
  vocab: 1024,
  width: 768,
  blocks: 4,
  context: CONTEXT,
  parameters: 0,
};

/** Small numbers, the same for all: nobody looks at what comes of them. */
function weights(): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const { expr } of graph.weights) {
    const [{ name, shape }] = leavesOf(expr) as [{ name: string; shape: readonly number[] }];
    const data = Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => ((i * 37) % 101) / 5000 - 0.01,
    );
    tensors[name] = { dtype: "f32", shape: [...shape], data };
  }
  return tensors;
}

const source = memorySource(weights());

test.skipIf(process.platform !== "linux").each([
  ["fp32", 1],
  ["int8", 2],
  ["int4", 4],
] as const)(
  "%s, slots: %i, takes what was planned, to 5 percent of the total",
  async (format, batchSize) => {
    using built = await buildFrom(source, graph, card, { format });
    const options = { ...DEFAULTS, format, batchSize, ctxLen: CONTEXT };
    const [plan] = cpuTarget.plan(graph, options).devices;
    const { weights, kv, activations, reserve } = plan!;
    const planned = weights + kv + activations;
    const args = [PROGRAM, built.artefact.folder, format, String(batchSize), String(CONTEXT)];
    const env = { ...process.env, XDG_CACHE_HOME: join(built.artefact.folder, "..", "cache") };
    const measured = Number(execFileSync(process.execPath, args, { encoding: "utf8", env }));
    expect(Math.abs(measured - planned) / (planned + reserve)).toBeLessThan(0.05);
  },
  240_000,
);
