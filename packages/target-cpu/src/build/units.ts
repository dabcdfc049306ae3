import { type Program, printGraph } from "@llm/core-ir";
import type { Json, Unit } from "@llm/target";
import { scheduleOf } from "../mesh/schedule.ts";

/** The file of a net's model, in the artefact. */
export function modelFile(net: string): string {
  return `${net}.onnx`;
}

/** The writer works in pieces of this order, whatever the size of the model. */
const WRITER_BYTES = 256 << 20;

/** Where the unit of the only net lies: in the artefact itself. */
const ALL = "";

/** What a mesh's workers have to know besides their nets: its unit, and its file in the artefact. */
export const MESH_UNIT = "mesh";
export const MESH_FILE = "mesh.json";

/** A unit for each net: its graph as it is written. The only net lies in the artefact itself, shards in folders of their own. */
export function cpuUnits(program: Program): readonly Unit[] {
  const shared = program.nets.some(({ rank }) => rank !== undefined);
  const nets = program.nets.map(
    ({ id, graph }): Unit => ({
      id,
      kind: "onnx@2",
      stage: "export",
      spec: printGraph(graph),
      weights: graph.weights.map(({ expr }) => expr),
      after: [],
      makes: [modelFile(id)],
      // How much is written depends on how much can stay in the checkpoint's files, which only the writer sees.
      needs: { ramBytes: WRITER_BYTES, diskBytes: 0, cores: 1, tools: [] },
      ...(shared ? {} : { place: ALL }),
    }),
  );
  return shared ? [...nets, meshUnit(program)] : nets;
}

/** Whether a unit is all of its model. */
export function isOnlyNet({ place }: Unit): boolean {
  return place === ALL;
}

function meshUnit(program: Program): Unit {
  return {
    id: MESH_UNIT,
    kind: "mesh@1",
    stage: "export",
    spec: scheduleOf(program) as unknown as Json,
    weights: [],
    after: [],
    makes: [MESH_FILE],
    needs: { ramBytes: 0, diskBytes: 0, cores: 1, tools: [] },
    place: "",
  };
}
