export { GrammarError, type GrammarSource } from "@llm/grammar";
export { AnswerParser, type AnswerPart } from "./answer/answer-parser.ts";
export { answerGrammar, callGrammar } from "./answer/call-grammar.ts";
export {
  type AnswerFormats,
  type ArgumentTags,
  type CallFormat,
  callFormat,
  callFormatOf,
  type ReasoningFormat,
  reasoningFormatOf,
  type Tool,
} from "./answer/formats.ts";
export { callFormatFor, showsTools, toolsAsText } from "./answer/tools-as-text.ts";
export { type BeamRequest, beamSearch } from "./beams/beam-search.ts";
export * from "./error.ts";
export { checkForm } from "./generator/constrained.ts";
export {
  AFTER_END,
  type Context,
  type ContextOptions,
  type ContextRow,
  type ContextStep,
  stackContexts,
} from "./generator/contexts.ts";
export type { TextEmbedOptions } from "./generator/embed-options.ts";
export type { Completion, Generation, Timings } from "./generator/generation.ts";
export { Generator, type GeneratorParts } from "./generator/generator.ts";
export { type GenerateOptions, readOptions, type TransformersOptions } from "./generator/options.ts";
export type { Prompt } from "./generator/prompt.ts";
export { apart, draw, fold, type RandomState, randomState, split } from "./random/random-state.ts";
export { type EmbedOptions, embeddingOf, logitsAfter, logprobsOf, type Pooling } from "./reading/read.ts";
export { checkSampling, type SamplingOptions } from "./sampling/options.ts";
export type { History } from "./sampling/penalties.ts";
export type { Distribution } from "./sampling/row.ts";
export { type Choice, Sampler, type SamplerContext } from "./sampling/sampler.ts";
export type {
  FinishReason,
  GeneratedToken,
  GenerateOutcome,
  GenerateRequest,
  ReadRequest,
  Ticket,
  Usage,
} from "./scheduler/request.ts";
export { Scheduler, type SchedulerOptions, type SchedulerStats } from "./scheduler/scheduler.ts";
export { StopStrings } from "./text/stop-strings.ts";
export type { ChatMessage, ChatTemplateOptions, TextStream, TextTokenizer } from "./text/tokenizer.ts";
export { asTextTokenizer, type TransformersStreamer, type TransformersTokenizer } from "./text/transformers.ts";
