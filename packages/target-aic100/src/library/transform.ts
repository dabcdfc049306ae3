import { corePasses, type Graph, type Program, programOf, runPipeline } from "@llm/core-ir";
import { TargetError } from "@llm/target";
import { aic100Target } from "../aic100-target.ts";
import { type Aic100Options, defaultOptions } from "../options.ts";

export interface TransformOptions extends Partial<Aic100Options> {
  /** What the model is made with: there is one kind. */
  readonly type?: "Transformers";
  /** What it is for: there is one. */
  readonly formFactor?: "cloud";
}

/**
 * A model's graph with the card's blocks in place of its own: caches that stay on the card, norms that keep to fp16's range, and
 * constants within it.
 *
 * @example
 * const program = transform(model.graph, { ctxLen: 1024, fullBatchSize: 4 });
 */
export function transform(
  model: Graph,
  { type = "Transformers", formFactor = "cloud", ...given }: TransformOptions = {},
): Program {
  if (type !== "Transformers") throw new TargetError("option-invalid", `type is "Transformers", not "${type}"`);
  if (formFactor !== "cloud") throw new TargetError("option-invalid", `formFactor is "cloud", not "${formFactor}"`);
  return runPipeline(programOf(model), aic100Target.pipeline(model, { ...defaultOptions(), ...given }), {
    passes: [...corePasses, ...(aic100Target.passes ?? [])],
    dialects: aic100Target.dialects,
  });
}
