import { type Program, printGraph } from "@llm/core-ir";
import type { Unit } from "@llm/target";
import type { Aic100Options } from "../options.ts";

/** The model's unit, its file, and its twin that the emulator runs. */
export const MODEL_UNIT = "decoder";
export const MODEL_NAME = "model";
export const MODEL_FILE = `${MODEL_NAME}.onnx`;
export const EMULATOR_FILE = "emulator.onnx";

/** What the model's unit is made from. */
export interface ModelSpec {
  readonly graph: string;
  readonly opset: number;
  readonly emulate: boolean;
  /** Clip float32 weights to the range of the fp16 that a compiler makes of them. */
  readonly clip: boolean;
  /** Blocks as functions of the file. */
  readonly subFunctions: boolean;
}

/** The writer works in pieces of this order, whatever the size of the model. */
const WRITER_BYTES = 256 << 20;

/** The model as ONNX; for the emulator, a twin beside it. */
export function exportUnit(
  { nets: [net] }: Program,
  { opset, clip }: { readonly opset: number; readonly clip: boolean },
  { emulate, subFunctions }: Aic100Options,
): Unit {
  const { graph } = net!;
  return {
    id: MODEL_UNIT,
    kind: "aic100-onnx@1",
    stage: "export",
    spec: { graph: printGraph(graph), opset, emulate, clip, subFunctions },
    weights: graph.weights.map(({ expr }) => expr),
    after: [],
    makes: [MODEL_FILE, ...(emulate ? [EMULATOR_FILE] : [])],
    // How much is written depends on how much can stay in the checkpoint's files, which only the writer sees.
    needs: { ramBytes: WRITER_BYTES, diskBytes: 0, cores: 1, tools: [] },
    place: "",
  };
}
