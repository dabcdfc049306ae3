import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { blockResults, corePasses, type Graph, programOf, runPipeline } from "@llm/core-ir";
import type { Runner, Target } from "@llm/target";
import { type BuildEvent, buildTrial } from "@llm/target/engine";
import type { Tensor } from "@llm/tensor";
import { ToolchainError } from "./error.ts";
import type { Model } from "./open-model.ts";
import { scratchFolder } from "./places.ts";
import { chosenOptions } from "./target-options.ts";

export interface ExposedOptions {
  readonly targetOptions?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  onEvent?(event: BuildEvent): void;
}

/** What a target computed, between the blocks too. */
export interface ExposedRun {
  readonly runner: string; // what ran it: "onnxruntime", "simulator", …
  /** The stream that each block but the head hands on. */
  readonly blocks: readonly { readonly name: string; readonly values: Float32Array }[]; // (ids, width)
  readonly logits: Float32Array; // (ids, vocab)
}

/**
 * Exports a graph of a model for a target with every block's result as an output, runs one sequence through it, and throws the
 * export away.
 */
export async function runExposed<O>(
  model: Model,
  graph: Graph,
  target: Target<O>,
  ids: Int32Array,
  options: ExposedOptions = {},
): Promise<ExposedRun> {
  const folder = await mkdtemp(join(await scratchFolder(options.env), "exposed-"));
  let runner: Runner | undefined;
  try {
    runner = await exportExposed(model, graph, target, folder, options);
    const outputs = await runner.run(runner.nets[0]!, canonicalInputs(graph, ids));
    const blocks = [...blockResults(graph)]
      .slice(0, -1)
      .map(([name, [stream]]) => ({ name, values: floatsOf(outputs, stream!.id) }));
    return { runner: runner.name, blocks, logits: floatsOf(outputs, "logits") };
  } finally {
    await runner?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function exportExposed<O>(
  model: Model,
  graph: Graph,
  target: Target<O>,
  folder: string,
  options: ExposedOptions,
): Promise<Runner> {
  if (!target.runner)
    throw new ToolchainError(
      "target-unsupported",
      `target ${target.id} has no runner, so nobody can look between its blocks`,
    );
  const { options: chosen } = chosenOptions(target, model, options.targetOptions);
  const program = runPipeline(programOf(graph), [{ pass: "expose-blocks" }, ...target.pipeline(graph, chosen)], {
    passes: [...corePasses, ...(target.passes ?? [])],
    dialects: target.dialects,
  });
  // What a compiler would make of it isn't what is looked into.
  const units: Target<O>["units"] = (...given) => target.units(...given).filter(({ stage }) => stage === "export");
  const artefact = await buildTrial({
    target: { ...target, units },
    program,
    options: chosen,
    source: model.weights,
    model: model.card,
    folder,
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.onEvent ? { onEvent: options.onEvent } : {}),
  });
  return target.runner(artefact);
}

/** One sequence in slot 0, from its start, logits after every token. */
function canonicalInputs(graph: Graph, ids: Int32Array): Record<string, Tensor> {
  const count = ids.length;
  const ramp = Int32Array.from(ids.keys());
  const columns: Record<string, Int32Array> = {
    ids,
    positions: ramp,
    slots: new Int32Array(count),
    rows: ramp,
    reach: new Int32Array(count).fill(count),
  };
  return Object.fromEntries(graph.inputs.map(({ id }) => [id, { dtype: "i32", shape: [count], data: columns[id]! }]));
}

function floatsOf(outputs: Readonly<Record<string, Tensor>>, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new ToolchainError("target-unsupported", `the exported graph has no output ${name} to compare`);
}
