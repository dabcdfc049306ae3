import { openCheckpoint } from "@llm/checkpoint";
import type { ModelCard, OptionDef, Plan, Target } from "@llm/target";
import { modelCard } from "./model-card.ts";
import { graphOf, overridesOf } from "./open-model.ts";
import { planOnMesh } from "./plan-mesh.ts";
import { type ResolveOptions, resolveModel } from "./resolve-model.ts";
import { chosenOptions, optionsOf, targetOptions } from "./target-options.ts";

export interface PlanOptions extends ResolveOptions {
  readonly config?: readonly string[];
  /** "max": as many as fit and the target takes. */
  readonly batchSize?: number | "max" | undefined;
  /** DPxMP or DPxMPxPP devices, or "auto" for as many as serve it best. */
  readonly mesh?: string | undefined;
  readonly targetOptions?: Readonly<Record<string, unknown>>;
}

export interface PlanReport {
  readonly card: ModelCard;
  /** The target's, with all defaults and nothing left open. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly plan: Plan;
  /** What was chosen where the user said nothing, a line each. */
  readonly notes: readonly string[];
}

/** What a model will need on a device. Reads a config and nothing else: of the hub, only that file is fetched. */
export async function planModel(
  model: string | undefined,
  target: Target,
  options: PlanOptions = {},
): Promise<PlanReport> {
  const { name, path } = await resolveModel(model, { ...options, want: "config" });
  const checkpoint = await openCheckpoint(path, { overrides: overridesOf(options.config) });
  try {
    const { architecture, graph } = graphOf(checkpoint);
    const card = modelCard(name, architecture.id, graph);
    const ofMemory = (batchSize: number | undefined): PlanReport => {
      const given = { ...options.targetOptions, ...optionsOf(target, { batchSize }) };
      const { options: chosen, notes } = chosenOptions(target, { graph, weights: checkpoint.weights }, given);
      // A plan says whether what was asked for fits; a shorter context that would is told of in the notes.
      const { ctxLen } = targetOptions(target, given, graph) as { readonly ctxLen?: number };
      const settled = { ...(chosen as Record<string, unknown>), ...optionsOf(target, { ctxLen }) };
      if (options.mesh !== undefined) return { card, notes, ...planOnMesh(target, graph, options.mesh, settled) };
      return { card, notes, options: settled, plan: target.plan(graph, settled, checkpoint.weights) };
    };
    const { max: most = Number.POSITIVE_INFINITY } =
      (target.options as Readonly<Record<string, OptionDef<unknown>>>).batchSize ?? {};
    const planned = (batchSize: number | undefined): PlanReport => {
      const report = ofMemory(batchSize);
      const { plan } = report;
      return { ...report, plan: { ...plan, maxBatchSize: Math.min(most, plan.maxBatchSize) } };
    };
    if (options.batchSize !== "max") return planned(options.batchSize);
    return planned(Math.max(1, planned(1).plan.maxBatchSize));
  } finally {
    await checkpoint.close();
  }
}
