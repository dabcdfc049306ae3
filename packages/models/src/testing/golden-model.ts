import { readFileSync } from "node:fs";
import { type Checkpoint, openCheckpoint } from "@llm/checkpoint";
import type { Graph } from "@llm/core-ir";
import { type Golden, goldenDir, hasLegacyConfig, readGolden, readGoldenConfig } from "@llm/fixtures";
import { bind, read as readWeight, requireBound, type Tensor } from "@llm/tensor";
import { harmlessOf } from "../architecture.ts";
import { Config } from "../config.ts";
import { architectureFor } from "../registry.ts";

/** A golden model ready to run: its graph, its weights by value id, and what the reference said. */
export interface GoldenModel {
  readonly golden: Golden;
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Arrays of golden.safetensors, by name. */
  readonly arrays: ReadonlyMap<string, Tensor>;
}

/** The config of a golden model in one generation of keys; undefined where there is none. */
export function goldenConfig(name: string, file: "config.json" | "config.legacy.json"): Config | undefined {
  return file === "config.legacy.json" && !hasLegacyConfig(name) ? undefined : new Config(readGoldenConfig(name, file));
}

/** Opens a golden model through the packages that users go through. */
export async function openGolden(name: string, config: Config): Promise<GoldenModel> {
  return readGoldenModel(name, await openCheckpoint(goldenDir(name)), config);
}

/** A golden model in a file that `packages/checkpoint` keeps; `said` is what its form of the config can't hold. */
export async function openGoldenFile(
  name: string,
  file: string,
  said: Readonly<Record<string, unknown>>,
): Promise<GoldenModel> {
  const checkpoint = await openCheckpoint(file);
  return readGoldenModel(name, checkpoint, new Config({ ...checkpoint.config, ...said }));
}

async function readGoldenModel(name: string, checkpoint: Checkpoint, config: Config): Promise<GoldenModel> {
  const architecture = architectureFor(config.raw);
  try {
    const graph = architecture.build(config, (tensor) => checkpoint.weights.get(tensor)?.shape);
    const exprs = requireBound(
      bind(
        graph.weights.map((weight) => weight.expr),
        checkpoint.weights,
        { harmless: harmlessOf(architecture, config) },
      ),
    );
    const weights = new Map<string, Tensor>();
    for (const [i, expr] of exprs.entries())
      weights.set(graph.weights[i].value.id, await readWeight(expr, checkpoint.weights, "f32"));
    return { golden: readGolden(name), graph, weights, arrays: readArrays(name) };
  } finally {
    await checkpoint.close();
  }
}

/** golden.safetensors is small and ours: read whole, f32 and i32 only. */
function readArrays(name: string): Map<string, Tensor> {
  const bytes = readFileSync(`${goldenDir(name)}/golden.safetensors`);
  const length = Number(bytes.readBigUInt64LE());
  const header: Record<string, { dtype: "F32" | "I32"; shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    bytes.toString("utf8", 8, 8 + length),
  );
  const arrays = new Map<string, Tensor>();
  for (const [key, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (key === "__metadata__") continue;
    const [from, to] = data_offsets.map((offset) => 8 + length + offset);
    const data = bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + to);
    arrays.set(
      key,
      dtype === "F32"
        ? { dtype: "f32", shape, data: new Float32Array(data) }
        : { dtype: "i32", shape, data: new Int32Array(data) },
    );
  }
  return arrays;
}
