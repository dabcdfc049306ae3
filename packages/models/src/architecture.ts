import type { Graph } from "@llm/core-ir";
import type { Config } from "./config.ts";

/** A published architecture: how its config becomes a graph whose leaves name its tensors. */
export interface Architecture {
  readonly id: string;
  /** As people call it, for lists and pages. */
  readonly title: string;
  /** Values of `model_type` that mean this architecture. */
  readonly modelTypes: readonly string[];
  /** Class names in `architectures`, for checkpoints whose `model_type` is missing or says something else. */
  readonly classNames: readonly string[];
  /** Tensors that published checkpoints hold and the computation doesn't use. */
  readonly harmless?: readonly HarmlessTensor[];
  /** Fields that don't change the numbers of inference, each with the reason. */
  readonly ignored: Readonly<Record<string, string>>;
  build(config: Config): Graph;
}

export interface HarmlessTensor {
  readonly pattern: RegExp;
  readonly reason: string;
}
