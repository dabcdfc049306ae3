import type { Graph } from "@llm/core-ir";
import type { Harmless } from "@llm/tensor";
import type { Config } from "./config.ts";
import { INVERSE_FREQUENCIES } from "./ignored.ts";

/** A published architecture: how its config becomes a graph whose leaves name its tensors. */
export interface Architecture {
  readonly id: string;
  /** As people call it, for lists and pages. */
  readonly title: string;
  /** Values of `model_type` that mean this architecture; where two share one, class names tell them apart. */
  readonly modelTypes: readonly string[];
  /** Class names in `architectures`, for checkpoints whose `model_type` is missing or says something else. */
  readonly classNames: readonly string[];
  /** Tensors that published checkpoints hold and the computation doesn't use; a function where that depends on the config. */
  readonly harmless?: readonly Harmless[] | ((config: Config) => readonly Harmless[]);
  /** Fields that don't change the numbers of inference, each with the reason. */
  readonly ignored: Readonly<Record<string, string>>;
  /**
   * A config is enough. `shapes`, where the weights are at hand, is for layouts whose published configs are known to misstate
   * a size.
   */
  build(config: Config, shapes?: TensorShapes): Graph;
}

/** The shape of a checkpoint's tensor, if it has one of that name. */
export type TensorShapes = (name: string) => readonly number[] | undefined;

/** The tensors of a checkpoint with this config that may stay unused. */
export function harmlessOf({ harmless = [] }: Architecture, config: Config): readonly Harmless[] {
  return [INVERSE_FREQUENCIES, ...(typeof harmless === "function" ? harmless(config) : harmless)];
}
