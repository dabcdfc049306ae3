import type { Target } from "@llm/target";
import { bmodelFile } from "./bmodel/file-kind.ts";
import { buildUnit } from "./compile/build-unit.ts";
import { onnxUnits } from "./compile/onnx-units.ts";
import { bm1684xUnits } from "./compile/units.ts";
import { bm1684xDoctor } from "./doctor.ts";
import { bm1684xFeatures } from "./features.ts";
import { impliedDefaults } from "./implied-defaults.ts";
import { deviceNets } from "./nets/device-nets.ts";
import { laneLinears } from "./nets/lane-linears.ts";
import { nearFrequencies } from "./nets/near-frequencies.ts";
import { type Bm1684xOptions, bm1684xOptions } from "./options.ts";
import { bm1684xPipeline } from "./pipeline.ts";
import { chooseBm1684x } from "./plan/choose.ts";
import { planBm1684x } from "./plan/plan.ts";
import { describeBm1684x } from "./plan/sharing.ts";
import { openArtefact } from "./session/open-artefact.ts";
import { compilerVersion } from "./tools/compiler-version.ts";
import { installToolchain } from "./tools/install.ts";
import { COMPILER, toolchainOf } from "./tools/toolchain.ts";
import { lowerToTop } from "./top/lower-to-top.ts";

/** SOPHGO's BM1684X, by the vendor's own compiler and runtime. */
export const bm1684xTarget: Target<Bm1684xOptions> = {
  specificationVersion: 1,
  id: "bm1684x",
  title: "BM1684X",
  options: bm1684xOptions,
  features: bm1684xFeatures,
  dialects: [],
  passes: [nearFrequencies, laneLinears, deviceNets, lowerToTop],
  doctor: bm1684xDoctor,
  async install({ env }, report) {
    await installToolchain({ env, report });
  },
  defaults: impliedDefaults,
  choose: chooseBm1684x,
  plan: planBm1684x,
  describe: describeBm1684x,
  pipeline: bm1684xPipeline,
  tools: () => ({ [COMPILER]: compilerVersion(toolchainOf()) }),
  units: bm1684xUnits,
  exports: onnxUnits,
  build: buildUnit,
  open: openArtefact,
  files: bmodelFile,
};
