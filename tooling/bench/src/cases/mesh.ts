import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { corePasses, programOf, runPipeline } from "@llm/core-ir";
import { architectureFor, Config } from "@llm/models";
import type { Session, Target } from "@llm/target";
import { buildArtefact } from "@llm/target/engine";
import { DEFAULT_WORK, planMesh } from "@llm/target/mesh";
import { bm1684xTarget } from "@llm/target-bm1684x";
import { cpuTarget } from "@llm/target-cpu";
import { targetOptions } from "@llm/toolchain";
import type { Case, Measurement, Side } from "../case.ts";
import { makeCheckpoint } from "./sparse-checkpoint.ts";

/** Layers as wide as a 1B model's, few of them: what ranks say a layer is weighed against what a layer is to compute. */
const CONFIG = {
  model_type: "llama",
  hidden_size: 2048,
  intermediate_size: 5632,
  num_hidden_layers: 6,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  vocab_size: 8192,
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-5,
  hidden_act: "silu",
};
const CARD = {
  name: "bench",
  architecture: "llama",
  vocab: 8192,
  width: 2048,
  blocks: 6,
  context: 1024,
  parameters: 0,
};
const PROMPT = 128;
const DECODED = 24;

async function openOn(mesh: string, folder: string): Promise<Session> {
  const options = { format: "fp32", batchSize: 1, ctxLen: 0, threads: 2, mesh };
  const graph = architectureFor(CONFIG).build(new Config(CONFIG));
  const program = runPipeline(programOf(graph), cpuTarget.pipeline(graph, options), {
    passes: [...corePasses, ...(cpuTarget.passes ?? [])],
    dialects: cpuTarget.dialects,
  });
  const checkpoint = await openCheckpoint(join(folder, "checkpoint"));
  try {
    const { artefact } = await buildArtefact({
      target: cpuTarget,
      program,
      options,
      source: checkpoint.weights,
      model: CARD,
      folder: join(folder, mesh),
      cacheDir: join(folder, "cache"),
    });
    return await cpuTarget.open(artefact, options);
  } finally {
    await checkpoint.close();
  }
}

async function speed(session: Session): Promise<Measurement> {
  const want = { kind: "token", sampling: { method: "greedy" }, last: 1 } as const;
  const prompt = Int32Array.from({ length: PROMPT }, (_, i) => (i * 7919) % CARD.vocab);
  // Both sides are one process, and one gives memory back to the system after a prompt: nobody pays for the other's.
  await session.step([{ slot: 0, at: 0, tokens: prompt, want }]);
  const began = performance.now();
  let [result] = await session.step([{ slot: 0, at: 0, tokens: prompt, want }]);
  const prefilled = performance.now();
  for (let at = PROMPT; at < PROMPT + DECODED; at++)
    [result] = await session.step([{ slot: 0, at, tokens: result!.tokens!.slice(), want }]);
  const ended = performance.now();
  return { prefill: (1000 * PROMPT) / (prefilled - began), decode: (1000 * DECODED) / (ended - prefilled) };
}

/** What shards have to say to one another, on top of the same work: two of one thread each, against one process of two. */
export const mesh: Case = {
  name: "mesh",
  title: "Two shards on two cores against one process with two threads",
  metrics: [
    { key: "decode", unit: "tokens/s", better: "higher", bar: 0.9 },
    { key: "prefill", unit: "tokens/s", better: "higher", bar: 0.9 },
  ],
  rounds: 7,
  baseline: "one process",
  sides: async () => {
    const folder = mkdtempSync(join(tmpdir(), "llm-bench-"));
    makeCheckpoint(join(folder, "checkpoint"), CONFIG, "dense");
    let open = 0;
    const side = async (name: string, shape: string): Promise<Side> => {
      const session = await openOn(shape, folder);
      open++;
      return {
        name,
        detail: `--mesh ${shape} --threads 2; ${PROMPT} tokens of prompt, then ${DECODED} one by one`,
        prepare: async () => void (await speed(session)),
        run: () => speed(session),
        close: async () => {
          await session.close();
          if (--open === 0) rmSync(folder, { recursive: true });
        },
      };
    };
    return [await side("two shards", "1x2"), await side("one process", "1x1")];
  },
};

const STARCODER = {
  model_type: "gpt_bigcode",
  n_embd: 6144,
  n_layer: 40,
  n_head: 48,
  n_inner: 24576,
  n_positions: 8192,
  vocab_size: 49152,
  multi_query: true,
};

/** All widths of one mesh, from a graph that nobody planned with before. */
function planAll<O>(target: Target<O>, given: Readonly<Record<string, unknown>>): Measurement {
  const graph = architectureFor(STARCODER).build(new Config(STARCODER));
  const { device, work } = target.describe!(targetOptions(target, given, graph), graph);
  const began = performance.now();
  for (let mp = 1; mp <= 8; mp++) planMesh(graph, { dp: 1, mp, pp: 1 }, device, { ...DEFAULT_WORK, ...work });
  return { ms: performance.now() - began };
}

const planner = <O>(target: Target<O>, given: Readonly<Record<string, unknown>>): Side => ({
  name: target.title,
  detail: "StarCoder 15B at mp 1, 2 … 8",
  prepare: async () => void planAll(target, given),
  run: async () => planAll(target, given),
});

export const meshPlan: Case = {
  name: "mesh-plan",
  title: "Planning StarCoder 15B on one to eight devices a layer",
  metrics: [{ key: "ms", unit: "ms", better: "lower", limit: 200 }],
  rounds: 10,
  baseline: "BM1684X",
  sides: async () => [planner(cpuTarget, { format: "f32" }), planner(bm1684xTarget, { mode: "F16" })],
};
