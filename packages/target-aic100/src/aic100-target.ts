import { type Target, TargetError } from "@llm/target";
import { buildModel } from "./build/build-model.ts";
import { exportUnit } from "./build/units.ts";
import { openEmulator } from "./emulator/open-emulator.ts";
import { aic100Features } from "./features.ts";
import { cardGraph } from "./graph/card-graph.ts";
import { clipConstants } from "./graph/clip-constants.ts";
import { replicateKvHeads } from "./graph/replicate-kv-heads.ts";
import { scaleQueries } from "./graph/scale-queries.ts";
import { settle } from "./graph/settle.ts";
import { aic } from "./onnx/dialect.ts";
import { type Aic100Options, aic100Options } from "./options.ts";
import { aic100Pipeline } from "./pipeline.ts";

/** Qualcomm's Cloud AI 100, by the vendor's compiler and runtime, and an emulator of both. */
export const aic100Target: Target<Aic100Options> = {
  specificationVersion: 1,
  id: "aic100",
  title: "Cloud AI 100",
  options: aic100Options,
  features: aic100Features,
  dialects: [aic],
  passes: [cardGraph, clipConstants, replicateKvHeads, scaleQueries],
  doctor: async () => [],
  plan() {
    throw new TargetError("unsupported", "planning for Cloud AI 100 comes with a newer version of this package");
  },
  pipeline: aic100Pipeline,
  units: (program, options) => [exportUnit(program, settle(options), options)],
  build: buildModel,
  open(artefact, options) {
    const { emulate } = artefact.manifest.options as { readonly emulate?: boolean };
    if (emulate) return openEmulator(artefact, options);
    throw new TargetError(
      "unsupported",
      `${artefact.folder} is for the compiler; export with --emulate to run it here`,
    );
  },
};
