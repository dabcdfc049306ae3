import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { readOnnx } from "@llm/exporter";
import { TargetError } from "@llm/target";

/** An ONNX file that is to be compiled, with the files of its weights. */
export interface ModelFiles {
  readonly onnx: string;
  /** Relative to its folder. */
  readonly weights: readonly string[];
  /** Inputs of caches, in the graph's order. */
  readonly states: readonly string[];
  /** Changes with the graph and with its weights. */
  readonly key: string;
}

/** Caches are what a custom IO file speaks of; a retained mask is kept as the graph has it. */
const CACHE = /^past_(?:key|value)\.\d+$/;

/** Looks into an ONNX file: its caches, and what makes it another model. Weights are known by size and time, not read. */
export async function readModel(onnx: string): Promise<ModelFiles> {
  const { inputs, outputs, externalFiles } = readOnnx(onnx);
  const states = inputs.map(({ name }) => name).filter((name) => CACHE.test(name));
  const given = new Set(outputs.map(({ name }) => name));
  const alone = states.find(
    (name) => !given.has(`${name}_RetainedState`) && !given.has(`${name}_InternalRetainedState`),
  );
  if (alone !== undefined)
    throw new TargetError("unit-invalid", `${onnx}: ${alone} has no output ${alone}_RetainedState to be kept in`);
  const hash = createHash("sha256").update(await readFile(onnx));
  const weights = externalFiles.map(({ location }) => posix.normalize(location)).sort();
  for (const location of weights) {
    if (location.startsWith("../") || location.startsWith("/"))
      throw new TargetError("unit-invalid", `${onnx}: its weights are in ${location}, outside its own folder`);
    const info = await stat(join(dirname(onnx), location)).catch(() => undefined);
    if (!info) throw new TargetError("unit-invalid", `${onnx}: its weights, ${location}, are not beside it`);
    hash.update(`\n${location} ${info.size} ${info.mtimeMs}`);
  }
  return { onnx, weights, states, key: hash.digest("hex") };
}
