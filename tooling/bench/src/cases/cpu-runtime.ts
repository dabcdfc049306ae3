import { rmSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type OrtSession, type OrtTensor, openOrt, ortTensor, ortVersion } from "@llm/runtime-native/ort";
import { openRunnable } from "@llm/toolchain";
import type { Case, Measurement, Side } from "../case.ts";
import { starcoderFile } from "../cpu/places.ts";
import { cpuModel } from "./cpu-model.ts";

const STEPS = 20;
/** How long the event loop is watched: a hundredth of its turns is to be more than one. */
const WATCHED_MS = 1000;
/** The cache's room in tokens: what a short conversation needs, and what a long one would. */
const [SHORT, LONG] = [128, 4352];

/** A cache with room for `tokens`, as inputs and as outputs over the same memory. */
function cacheOf(
  model: OrtSession,
  tokens: number,
): { inputs: Record<string, OrtTensor>; outputs: Record<string, OrtTensor> } {
  const inputs: Record<string, OrtTensor> = {};
  const outputs: Record<string, OrtTensor> = {};
  for (const { name, shape } of model.inputs) {
    if (!model.outputs.some((output) => output.name === `next.${name}`)) continue;
    const [, heads, , width] = shape as number[];
    inputs[name] = ortTensor("f32", [1, heads, tokens, width]);
    outputs[`next.${name}`] = inputs[name];
  }
  return { inputs, outputs };
}

/** Runs a step on a cache at a depth. */
function stepper(model: OrtSession): (cache: ReturnType<typeof cacheOf>, at: number) => Promise<unknown> {
  const logits = ortTensor("f32", [1, 8192]);
  const one = (value: number, shape: readonly number[]) => ortTensor("i32", shape, Int32Array.of(value));
  return ({ inputs, outputs }, at) => {
    const token = { ids: one(at, [1, 1]), positions: one(at, [1, 1]), rows: one(0, [1]) };
    const given = { ...inputs, ...token, reads: ortTensor("i32", [0]) }; // nobody asks for hidden states
    return model.run(given, { ...outputs, logits });
  };
}

async function measure(model: OrtSession): Promise<Measurement> {
  const caches = [cacheOf(model, SHORT), cacheOf(model, LONG)];
  const step = stepper(model);
  const times: number[][] = [[], []];
  for (let at = 32; at < 32 + STEPS; at++)
    for (const [side, cache] of caches.entries()) {
      const start = performance.now();
      await step(cache, at);
      times[side].push(performance.now() - start);
    }
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (const end = performance.now() + WATCHED_MS; performance.now() < end; ) await step(caches[0]!, 32);
  delay.disable();
  const median = (list: number[]) => list.toSorted((a, b) => a - b)[STEPS / 2];
  const [short, long] = times.map(median);
  return { stepMs: short, longOverShort: long / short, loopDelayMs: delay.percentile(99) / 1e6 };
}

/** Steps through our addon beside the binding that ONNX Runtime publishes, in one process and in turn. */
export const cpuRuntime: Case = {
  name: "cpu-runtime",
  title: "A decoding step on the CPU: the addon beside onnxruntime-node",
  metrics: [
    { key: "stepMs", unit: "ms", better: "lower", bar: 1 },
    { key: "longOverShort", unit: "x", better: "lower", limit: 1.05 },
    { key: "loopDelayMs", unit: "ms", better: "lower", limit: 5 },
  ],
  rounds: 10,
  baseline: "onnxruntime-node",
  async sides() {
    const { file, folder } = await cpuModel();
    const version = await ortVersion();
    const side = (backend: "addon" | "onnxruntime-node"): Side => {
      let model: OrtSession | undefined;
      return {
        name: backend,
        detail: `ONNX Runtime ${version}, 4-bit weights, ${SHORT} and ${LONG} tokens of room`,
        async prepare() {
          model = await openOrt(file, { backend, prepack: true });
          await measure(model);
        },
        run: () => measure(model!),
        async close() {
          await model?.close();
          rmSync(folder, { recursive: true, force: true });
        },
      };
    };
    return [side("addon"), side("onnxruntime-node")];
  },
};

/** The row of the bar that is about room: ours alone, on the model that the other rows have. */
export const cpuCache: Case = {
  name: "cpu-cache",
  title: "1B StarCoder shape in 4 bits: a step over a cache with room for 4352 tokens, not 128",
  metrics: [
    { key: "longOverShort", unit: "x", better: "lower", limit: 1.05 },
    { key: "stepMs", unit: "ms", better: "lower" },
  ],
  rounds: 10,
  baseline: "llm",
  async sides() {
    let model: OrtSession | undefined;
    return [
      {
        name: "llm",
        detail: `ONNX Runtime ${await ortVersion()}, the same tokens over both caches in turn`,
        async prepare() {
          const made = await openRunnable(starcoderFile("q4_0"), { batchSize: 1, targetOptions: { format: "int4" } });
          await made.close();
          model = await openOrt(join(made.artefact, "decoder.onnx"), { prepack: true });
          await measure(model);
        },
        run: () => measure(model!),
        close: async () => model?.close(),
      },
    ];
  },
};
