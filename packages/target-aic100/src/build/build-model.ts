import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseGraph } from "@llm/core-ir";
import { toOnnx, writeOnnx } from "@llm/exporter";
import type { Unit, Work } from "@llm/target";
import { overrideIndices } from "../emulator/override-indices.ts";
import { aic } from "../onnx/dialect.ts";
import { aicEmitters } from "../onnx/emitters.ts";
import { CTX_DOMAIN, FUNCTIONS, NORM_DOMAIN } from "../onnx/functions.ts";
import { EMULATOR_FILE, MODEL_FILE, MODEL_NAME, type ModelSpec } from "./units.ts";

/**
 * Writes the model. Weights that lie in the checkpoint as the graph wants them stay there; those that overflow fp16 are clipped to
 * its range where they are made halves of.
 */
export async function buildModel(unit: Unit, work: Work): Promise<void> {
  const { graph: text, opset, emulate } = unit.spec as unknown as ModelSpec;
  const graph = parseGraph(text);
  const used = Object.entries(FUNCTIONS).filter(([name]) => graph.ops.some(({ kind }) => kind === name));
  const functions = used.map(([, make]) => make(opset));
  const onnx = toOnnx(graph, {
    opset,
    dialects: [aic],
    emitters: aicEmitters,
    domains: Object.fromEntries(
      [CTX_DOMAIN, NORM_DOMAIN]
        .filter((name) => functions.some(({ domain }) => domain === name))
        .map((name) => [name, 1]),
    ),
    functions,
  });
  const written = await writeOnnx(onnx, {
    folder: work.folder,
    name: MODEL_NAME,
    source: work.source,
    signal: work.signal,
    progress: (done, total) => work.progress(done, total),
  });
  for (const { path, origin } of written.files) if (origin !== undefined) work.linked(path, origin);
  for (const note of written.notes) work.progress(written.bytesWritten, written.bytesWritten, note);
  if (!emulate) return;
  const bytes = await readFile(join(work.folder, MODEL_FILE));
  await writeFile(join(work.folder, EMULATOR_FILE), overrideIndices(bytes));
}
