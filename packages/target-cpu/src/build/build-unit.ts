import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseGraph } from "@llm/core-ir";
import { toOnnx, writeOnnx } from "@llm/exporter";
import type { Unit, Work } from "@llm/target";
import { ort } from "../ort/dialect.ts";
import { ortEmitters } from "../ort/emitters.ts";
import { withNarrowTables } from "../ort/narrow-tables.ts";
import { withPackedWeights } from "../ort/packed-weights.ts";
import { NEXT } from "../session/states.ts";
import { isOnlyNet, MESH_FILE, MESH_UNIT } from "./units.ts";

/** What this version of ONNX Runtime reads; Gelu and layer norm are ONNX's own there. */
const OPSET = 21;

/** Of a checkpoint's file, how much has to be of use for a model to hold on to all of it. What a shard doesn't use, others do. */
const WORTH_KEEPING = 0.5;

/**
 * Writes a net's model. Float32 weights stay where they are, in the checkpoint's own files; halves that are multiplied by are
 * widened here, once: widened at load they would be memory of every process, and at run time they would be widened in every step.
 */
export async function buildUnit(unit: Unit, work: Work): Promise<void> {
  if (unit.id === MESH_UNIT) return writeFile(join(work.folder, MESH_FILE), JSON.stringify(unit.spec));
  const graph = parseGraph(unit.spec as string);
  const said = toOnnx(graph, {
    opset: OPSET,
    dialects: [ort],
    emitters: ortEmitters,
    domains: { "com.microsoft": 1 },
    names: Object.fromEntries(graph.states.map(({ value, next }) => [next.id, NEXT + value.id])),
  });
  const written = await writeOnnx(withNarrowTables(withPackedWeights(said), work.source), {
    folder: work.folder,
    name: unit.id,
    source: work.source,
    leastUsed: isOnlyNet(unit) ? WORTH_KEEPING : 0,
    sync: false, // the engine flushes what a unit made
    signal: work.signal,
    progress: (done, total) => work.progress(done, total),
  });
  for (const { path, origin } of written.files) if (origin !== undefined) work.linked(path, origin);
  for (const note of written.notes) work.progress(written.bytesWritten, written.bytesWritten, note);
}
