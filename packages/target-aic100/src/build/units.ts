import { inOrder, type Net, type Program, printGraph } from "@llm/core-ir";
import type { Json, Unit } from "@llm/target";
import { withAnyContext } from "../graph/form.ts";
import type { Aic100Options } from "../options.ts";

/** The model's unit, its file, and its twin that the emulator runs. */
export const MODEL_UNIT = "decoder";
export const MODEL_NAME = "model";
export const MODEL_FILE = `${MODEL_NAME}.onnx`;
export const EMULATOR_FILE = "emulator.onnx";

/** What models that share layers tell one another: a list beside their folders. */
export const PROGRAM_UNIT = "program";
export const PROGRAM_FILE = "program.json";
export const PROGRAM_KIND = "aic100-program@1";

/** What a model's unit is made from. */
export interface ModelSpec {
  readonly graph: string;
  readonly opset: number;
  readonly emulate: boolean;
  /** Clip float32 weights to the range of the fp16 that a compiler makes of them. */
  readonly clip: boolean;
  /** Blocks as functions of the file. */
  readonly subFunctions: boolean;
}

/** Models in the order in which they run, each in a folder of its name, and what goes from one to another. */
export interface SharedProgram {
  readonly nets: readonly string[];
  readonly moves: Program["moves"];
}

/** The writer works in pieces of this order, whatever the size of the model. */
const WRITER_BYTES = 256 << 20;

type Settings = Pick<ModelSpec, "opset" | "clip">;

/** The model as ONNX; for the emulator, a twin beside it. Of a program that layers are shared in, one for each part. */
export function exportUnits(program: Program, settings: Settings, options: Aic100Options): readonly Unit[] {
  const [net] = program.nets;
  if (program.nets.length === 1) return [modelUnit(net!, { id: MODEL_UNIT, place: "" }, settings, options)];
  const nets = inOrder(program);
  const spec: SharedProgram = { nets: nets.map(({ id }) => id), moves: program.moves };
  return [
    ...nets.map((one) => modelUnit(one, { id: one.id, place: one.id }, settings, options)),
    {
      id: PROGRAM_UNIT,
      kind: PROGRAM_KIND,
      stage: "export",
      spec: spec as unknown as Json,
      weights: [],
      after: [],
      makes: [PROGRAM_FILE],
      needs: { ramBytes: 0, diskBytes: 0, cores: 1, tools: [] },
      place: "",
    },
  ];
}

function modelUnit(
  { graph }: Net,
  at: { readonly id: string; readonly place: string },
  { opset, clip }: Settings,
  { emulate, subFunctions }: Aic100Options,
): Unit {
  return {
    ...at,
    kind: "aic100-onnx@1",
    stage: "export",
    spec: { graph: printGraph(withAnyContext(graph)), opset, emulate, clip, subFunctions },
    weights: graph.weights.map(({ expr }) => expr),
    after: [],
    makes: [MODEL_FILE, ...(emulate ? [EMULATOR_FILE] : [])],
    // How much is written depends on how much can stay in the checkpoint's files, which only the writer sees.
    needs: { ramBytes: WRITER_BYTES, diskBytes: 0, cores: 1, tools: [] },
  };
}
