export { type Mesh, type MeshChoice, type MeshPlan, meshText, parseMesh } from "@llm/target/mesh";
export { type BenchOptions, type BenchReport, type BenchTest, benchSession } from "./bench.ts";
export { type BlockNetOptions, blockNets } from "./block-nets.ts";
export { type BuildOptions, type Built, build, type Prepared, prepare } from "./build.ts";
export { type CacheChoice, chooseEntries, removeEntries } from "./cache/remove.ts";
export { type CacheEntry, type CacheKind, type CachePlaces, type CacheSurvey, surveyCache } from "./cache/survey.ts";
export { argmax, type Distance, distance, type LogitsDistance, logitsDistance } from "./compare.ts";
export { CHECKS, type ConformanceReport, type ConformOptions, conform } from "./conformance.ts";
export {
  buildRuntimeFor,
  type DiagnoseOptions,
  type Diagnosis,
  diagnose,
  type InstallTargetOptions,
  installFor,
} from "./doctor.ts";
export { drawGraph, writeGraphPage } from "./draw-graph.ts";
export { type Dump, readDump } from "./dump.ts";
export { ToolchainError, type ToolchainErrorCode } from "./error.ts";
export * from "./evaluate/index.ts";
export { type ExportedFile, type ExportOptions, type ExportReport, exportModel } from "./export-model.ts";
export {
  exportForTransformersJs,
  exportOnnx,
  type JsOptions,
  type OnnxOptions,
  type PortableOptions,
} from "./export-onnx.ts";
export {
  type Answer,
  type BatchTimings,
  type GeneratedText,
  type GenerateTextOptions,
  generateText,
} from "./generate-text.ts";
export { generationDefaults } from "./generation-defaults.ts";
export { Generator } from "./generator.ts";
export type { GeneratorOptions } from "./generator-options.ts";
export { type CheckpointInspection, type Inspection, type InspectOptions, inspect } from "./inspect.ts";
export { parseLayers } from "./layers.ts";
export { type LogitsRequest, type LogitsResult, logitsTensors, referenceLogits, sessionLogits } from "./logits.ts";
export { madeBatch } from "./made-batch.ts";
export {
  makeReady,
  type Ready,
  type ReadyOptions,
  type StageEvent,
  type StageName,
  type StageReport,
} from "./make-ready.ts";
export {
  graphOf,
  type Model,
  type ModelGraph,
  type OpenModelOptions,
  openModel,
  overridesOf,
  unreadNote,
} from "./open-model.ts";
export { type OpenOptions, openRunnable, type Runnable } from "./open-runnable.ts";
export { type Packed, type PackOptions, pack } from "./pack/pack.ts";
export { artefactCache, hubCache, writableFolder } from "./places.ts";
export { type PlanOptions, type PlanReport, planModel } from "./plan.ts";
export { openReference, type Reference } from "./reference.ts";
export { evalPage } from "./report/eval-page.ts";
export { planPage } from "./report/plan-page.ts";
export { verifyPage } from "./report/verify-page.ts";
export { checkPlace, DEFAULT_MODEL, type ModelLocation, type ResolveOptions, resolveModel } from "./resolve-model.ts";
export { type ExposedOptions, type ExposedRun, runExposed } from "./run-exposed.ts";
export { targetOptions } from "./target-options.ts";
export { findTarget, type InstalledTarget, installedTargets, surveyTargets, type TargetSurvey } from "./targets.ts";
export { THRESHOLDS, type Thresholds, thresholdsFor } from "./thresholds.ts";
export { openTokenizer, type TokenizerDescription, tokenizerOf } from "./tokenizer.ts";
export { type BlockReport, type VerifyOptions, type VerifyReport, verify } from "./verify.ts";
export { type NamedFloats, writeSafetensors } from "./write-safetensors.ts";
