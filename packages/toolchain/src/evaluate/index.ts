export type { BlockError } from "./block-errors.ts";
export { type Choices, type Question, questionsOf, readQuestion, TEMPLATE } from "./choices.ts";
export {
  deviceEngine,
  type Engine,
  type EngineOptions,
  PRECISION_OPTIONS,
  type Prober,
  type ReferenceFormats,
  referenceEngine,
  referenceOptions,
  withFormats,
} from "./engine.ts";
export {
  type EvalOptions,
  type EvalProgress,
  type EvalReport,
  evaluate,
  type Variant,
  type VariantReport,
} from "./evaluate.ts";
export type { Quality } from "./score.ts";
