export { type BlockRun, blockRuns, blockText } from "./block-classes.ts";
export * from "./builder.ts";
export { absorbAll } from "./cache/latent.ts";
export { type DenseAttention, denseAttention } from "./decoder/dense-attention.ts";
export { ACTIVATION_NAMES, type ActivationName } from "./decoder/functions.ts";
export { decoder } from "./decoder/index.ts";
export * from "./dialects.ts";
export * from "./dim.ts";
export * from "./error.ts";
export * from "./graph.ts";
export * from "./graph-builder.ts";
export * from "./infer.ts";
export * from "./interpret.ts";
export * from "./load-weights.ts";
export * from "./mesh/index.ts";
export { MeshReference, type MeshShape } from "./mesh/mesh-reference.ts";
export * from "./op-def.ts";
export * from "./pass.ts";
export { cacheFormat, type Emulation, emulation } from "./passes/emulation.ts";
export { blockResults } from "./passes/expose-blocks.ts";
export * from "./passes/index.ts";
export { ADAPTERS_INPUT, type LowRankInputs, lowRankInputs } from "./passes/low-rank.ts";
export { matricesOf } from "./passes/quantise.ts";
export { drawProgram } from "./picture/page.ts";
export type { BinaryName, CompareName, UnaryName } from "./primitive/elementwise.ts";
export { primitive } from "./primitive/index.ts";
export {
  ReferenceModel,
  type ReferenceOptions,
  type ReferenceResult,
  type ReferenceRow,
} from "./reference-model.ts";
export { removeDead } from "./remove-dead.ts";
export * from "./rewrite.ts";
export type * from "./rules.ts";
export * as schema from "./schema.ts";
export * from "./shape.ts";
export * from "./spec.ts";
export { StreamedReference } from "./streamed-reference.ts";
export * from "./text/diff.ts";
export { parseGraph } from "./text/parse.ts";
export { printGraph } from "./text/print.ts";
