import type { Target } from "@llm/target";
import { buildUnit } from "./build/build-unit.ts";
import { cpuUnits } from "./build/units.ts";
import { cpuDoctor } from "./doctor.ts";
import { cpuFeatureTable } from "./features.ts";
import { cpuPasses } from "./lower/passes.ts";
import { describeCpu } from "./mesh/describe.ts";
import { openCpu } from "./open.ts";
import { type CpuOptions, cpuOptions } from "./options.ts";
import { ort } from "./ort/dialect.ts";
import { checkStages, cpuPipeline } from "./pipeline.ts";
import { chooseCpu } from "./plan/choose.ts";
import { chooseFormat } from "./plan/choose-format.ts";
import { planCpu } from "./plan/plan.ts";
import { publishedArtefact } from "./published/artefact.ts";
import { publishedFile } from "./published/find.ts";
import { openCpuRunner } from "./runner.ts";

/**
 * The CPU, through ONNX Runtime.
 *
 * @example
 * const session = await cpuTarget.open(artefact, { format: "fp32", batchSize: 1, ctxLen: 0, threads: 0 });
 */
export const cpuTarget: Target<CpuOptions> = {
  specificationVersion: 1,
  id: "cpu",
  title: "CPU (ONNX Runtime)",
  options: cpuOptions,
  features: cpuFeatureTable,
  dialects: [ort],
  passes: cpuPasses,
  doctor: cpuDoctor,
  choose: chooseCpu,
  plan: (model, options, source) =>
    planCpu(model, { ...options, format: chooseFormat(model, options, source).format }, source),
  describe: describeCpu,
  pipeline: (model, options) => {
    const steps = cpuPipeline({ ...options, format: chooseFormat(model, options).format });
    checkStages(model, options.mesh);
    return steps;
  },
  units: cpuUnits,
  build: buildUnit,
  open: openCpu,
  files: { extension: ".onnx", artefact: publishedArtefact, findIn: publishedFile },
  runner: openCpuRunner,
};
