import { type Program, printGraph } from "@llm/core-ir";
import type { Unit } from "@llm/target";

/** The file of a net's model, in the artefact. */
export function modelFile(net: string): string {
  return `${net}.onnx`;
}

/** The writer works in pieces of this order, whatever the size of the model. */
const WRITER_BYTES = 256 << 20;

/** A unit for each net: its graph as it is written. */
export function cpuUnits(program: Program): readonly Unit[] {
  return program.nets.map(({ id, graph }) => ({
    id,
    kind: "onnx@1",
    stage: "export",
    spec: printGraph(graph),
    weights: graph.weights.map(({ expr }) => expr),
    after: [],
    makes: [modelFile(id)],
    // How much is written depends on how much can stay in the checkpoint's files, which only the writer sees.
    needs: { ramBytes: WRITER_BYTES, diskBytes: 0, cores: 1, tools: [] },
    place: "",
  }));
}
