import type { Artefact, Target } from "@llm/target";
import { buildModel } from "./build/build-model.ts";
import { exportUnit, MODEL_FILE, MODEL_UNIT } from "./build/units.ts";
import { buildQpcUnit, qpcUnit, unfinishedKit } from "./compile/qpc-unit.ts";
import { chooseSdk, impliedDefaults, settingsOf } from "./compile/settings-of.ts";
import { openEmulator } from "./emulator/open-emulator.ts";
import { openAic100Runner } from "./emulator/runner.ts";
import { aic100Features } from "./features.ts";
import { cardGraph } from "./graph/card-graph.ts";
import { clipConstants } from "./graph/clip-constants.ts";
import { replicateKvHeads } from "./graph/replicate-kv-heads.ts";
import { sampleTokens } from "./graph/sample-tokens.ts";
import { scaleQueries } from "./graph/scale-queries.ts";
import { settle } from "./graph/settle.ts";
import { openQpc } from "./host/open-qpc.ts";
import { aic100Doctor, buildRuntime } from "./host/runtime.ts";
import { qpcFile } from "./inspect/file-kind.ts";
import { aic } from "./onnx/dialect.ts";
import { type Aic100Options, aic100Options } from "./options.ts";
import { aic100Pipeline } from "./pipeline.ts";
import { describeAic100 } from "./plan/describe.ts";
import { planAic100 } from "./plan/plan-aic100.ts";
import { planRequest } from "./plan/plan-options.ts";

/** Qualcomm's Cloud AI 100, by the vendor's compiler and runtime, and an emulator of both. */
export const aic100Target: Target<Aic100Options> = {
  specificationVersion: 1,
  id: "aic100",
  title: "Cloud AI 100",
  options: aic100Options,
  features: aic100Features,
  dialects: [aic],
  passes: [cardGraph, clipConstants, replicateKvHeads, sampleTokens, scaleQueries],
  doctor: aic100Doctor,
  buildRuntime,
  defaults: impliedDefaults,
  choose: (_, options) => chooseSdk(options),
  describe: describeAic100,
  plan: (model, options) => planAic100(model, planRequest(options)),
  pipeline: aic100Pipeline,
  units(program, options) {
    const model = exportUnit(program, settle(options), options);
    if (options.emulate) return [model];
    const settings = settingsOf(options, program.nets[0]!.graph.name);
    return [model, qpcUnit(settings, { unit: MODEL_UNIT, file: MODEL_FILE })];
  },
  build: (unit, work) => (unit.stage === "compile" ? buildQpcUnit(unit, work) : buildModel(unit, work)),
  unfinished: unfinishedKit,
  files: qpcFile,
  runner: openAic100Runner,
  open(artefact, options) {
    const { emulate } = artefact.manifest.options as { readonly emulate?: boolean };
    if (emulate) return openEmulator(artefact, options);
    return openQpc(artefact, options.device.length > 1 ? options.device : devicesOf(artefact, options));
  },
};

/** A model that several devices share runs on those it was compiled for, unless others are named. */
function devicesOf({ manifest }: Artefact, { device, deviceGroup }: Aic100Options): readonly number[] {
  if (deviceGroup.length > 1) return deviceGroup;
  const { socs = 1, deviceGroup: compiled = [] } = manifest.options as Partial<Aic100Options>;
  const count = Math.max(socs, compiled.length);
  return count > 1 ? Array.from({ length: count }, (_, at) => device[0]! + at) : device;
}
