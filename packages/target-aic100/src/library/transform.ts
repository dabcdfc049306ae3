import { corePasses, type Graph, type Program, programOf, runPipeline } from "@llm/core-ir";
import { TargetError } from "@llm/target";
import { aic100Target } from "../aic100-target.ts";
import { type Aic100Options, aic100Options } from "../options.ts";

export interface TransformOptions extends Partial<Aic100Options> {
  /** What the model is made with: there is one kind. */
  readonly type?: "Transformers";
  /** What it is for: there is one. */
  readonly formFactor?: "cloud";
}

/** The options a user who says nothing has, and what was said. */
export function withDefaults(given: Partial<Aic100Options>): Aic100Options {
  const defaults = Object.entries(aic100Options).map(([key, def]) => [key, def.default]);
  return { ...(Object.fromEntries(defaults) as unknown as Aic100Options), ...given };
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
  return runPipeline(programOf(model), aic100Target.pipeline(model, withDefaults(given)), {
    passes: [...corePasses, ...(aic100Target.passes ?? [])],
    dialects: aic100Target.dialects,
  });
}
