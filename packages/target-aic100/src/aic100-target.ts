import { openCopies, type Target, TargetError } from "@llm/target";
import { buildModel, buildProgram } from "./build/build-model.ts";
import { exportUnits, MODEL_FILE, MODEL_UNIT, PROGRAM_KIND } from "./build/units.ts";
import { buildQpcUnit, qpcUnit, unfinishedKit } from "./compile/qpc-unit.ts";
import { sdkVersions } from "./compile/sdk.ts";
import { chooseAic100, impliedDefaults, settingsOf } from "./compile/settings-of.ts";
import { copiesOf, devicesFor } from "./devices.ts";
import { openEmulator } from "./emulator/open-emulator.ts";
import { openAic100Runner } from "./emulator/runner.ts";
import { aic100Features } from "./features.ts";
import { cardGraph } from "./graph/card-graph.ts";
import { clipConstants } from "./graph/clip-constants.ts";
import { recomputeShared } from "./graph/recompute-shared.ts";
import { replicateKvHeads } from "./graph/replicate-kv-heads.ts";
import { sampleTokens } from "./graph/sample-tokens.ts";
import { checkModel, settle } from "./graph/settle.ts";
import { openQpc } from "./host/open-qpc.ts";
import { aic100Doctor, buildRuntime } from "./host/runtime.ts";
import { qpcFile } from "./inspect/file-kind.ts";
import { madeWith } from "./made-with.ts";
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
  passes: [cardGraph, clipConstants, recomputeShared, replicateKvHeads, sampleTokens],
  doctor: aic100Doctor,
  buildRuntime,
  defaults: impliedDefaults,
  choose: chooseAic100,
  describe: describeAic100,
  plan(model, options) {
    checkModel(model, options);
    return planAic100(model, planRequest(options));
  },
  pipeline: aic100Pipeline,
  tools: sdkVersions,
  units(program, options) {
    const models = exportUnits(program, settle(options), options);
    if (options.emulate) return models;
    if (models.length > 1)
      throw new TargetError(
        "option-invalid",
        `--mesh ${options.mesh}: shards of our own are emulated (--emulate) and exported (llm export); for cards, --device-group has the compiler share layers`,
      );
    const settings = settingsOf(options, program.nets[0]!.graph.name);
    return [...models, qpcUnit(settings, { unit: MODEL_UNIT, file: MODEL_FILE })];
  },
  exports(program, options) {
    const models = exportUnits(program, settle(options), options);
    return models.length > 1 ? models : aic100Target.units(program, options);
  },
  build(unit, work) {
    if (unit.stage === "compile") return buildQpcUnit(unit, work);
    return unit.kind === PROGRAM_KIND ? buildProgram(unit, work) : buildModel(unit, work);
  },
  unfinished: unfinishedKit,
  files: qpcFile,
  runner: openAic100Runner,
  open(artefact, options) {
    // Of several copies, the first one's calls are written down.
    const writeIoDir = (copy: number) => (copy === 0 ? options.writeIoDir : "");
    if (madeWith(artefact).emulate)
      return openCopies(copiesOf(artefact, options), (copy) =>
        openEmulator(artefact, { ...options, writeIoDir: writeIoDir(copy) }),
      );
    const groups = devicesFor(artefact, options);
    return openCopies(groups.length, (copy) =>
      openQpc(artefact, { devices: groups[copy]!, writeIoDir: writeIoDir(copy) }),
    );
  },
};
