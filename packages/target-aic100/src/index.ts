export { aic100Target, aic100Target as default } from "./aic100-target.ts";
export { getCompilationBatchSize } from "./compile/batch-size.ts";
export { type CompiledGraph, type CompilePlan, planCompile } from "./compile/compile-plan.ts";
export { type Compiled, type CompileOptions, compile } from "./compile/compile-qpc.ts";
export { findSdk, type InstalledSdk } from "./compile/sdk.ts";
export { type Hardware, SDK_PROFILES, type SdkProfileId } from "./compile/sdk-profiles.ts";
export type { CompileSettings } from "./compile/settings.ts";
export type { Network } from "./inspect/network.ts";
export { type Qpc, readQpc } from "./inspect/read-qpc.ts";
export { type Codec, type Execute, type Executed, execute } from "./library/execute.ts";
export { type Encoder, type ExportForAic100, exportForAic100 } from "./library/export-for-aic100.ts";
export {
  automationBlock,
  type Figures,
  type PrintedFigures,
  performanceBlock,
  printedFigures,
} from "./library/performance.ts";
export { type TransformOptions, transform } from "./library/transform.ts";
export { type Aic100Format, type Aic100Options, aic100Options, type SdkChoice } from "./options.ts";
export { ASSUMPTIONS } from "./plan/assumptions.ts";
export { CARDS, type CardId } from "./plan/cards.ts";
export { type PlanRequest, planAic100 } from "./plan/plan-aic100.ts";
export { IO_LIST, type IoFile } from "./session/recording-card.ts";
