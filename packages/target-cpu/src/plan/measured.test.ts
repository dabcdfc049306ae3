import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { leavesOf, memorySource, type Tensor } from "@llm/tensor";
import { expect, test } from "vitest";
import { llama } from "../testing/llama.ts";
import { buildFrom, buildGolden } from "../testing/open-golden.ts";

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

/** Small numbers that nobody looks at, others in each: of weights that are equal, ONNX Runtime packs one. */
function weights(): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  graph.weights.forEach(({ expr }, tensor) => {
    const [{ name, shape }] = leavesOf(expr) as [{ name: string; shape: readonly number[] }];
    const data = Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => ((i * 37 + tensor * 13) % 101) / 5000 - 0.01,
    );
    tensors[name] = { dtype: "f32", shape: [...shape], data };
  });
  return tensors;
}

const source = memorySource(weights());
/** A process plans for itself: what it takes depends on whether it has the addon. */
const plannedFor = JSON.stringify(graph);

test.skipIf(process.platform !== "linux").each([
  ["fp32", 1, "with"],
  ["int8", 2, "with"],
  ["int8", 2, "without"],
  ["int4", 4, "with"],
] as const)(
  "%s, slots: %i, %s the addon, takes what was planned, to 5 percent of the total",
  async (format, batchSize, addon) => {
    using built = await buildFrom(source, graph, card, { format });
    using tiny = await buildGolden("gpt_bigcode_mqa");
    const args = [PROGRAM, built.artefact.folder, format, String(batchSize), String(CONTEXT), tiny.artefact.folder];
    const env = {
      ...process.env,
      XDG_CACHE_HOME: join(built.artefact.folder, "..", "cache"),
      ...(addon === "without" ? { LLM_ADDON: "off" } : {}),
    };
    const run = () => JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8", env, input: plannedFor }));
    run(); // makes what is made once
    const { measured, planned, reserve } = run();
    expect(Math.abs(measured - planned) / (planned + reserve)).toBeLessThan(0.05);
  },
);
