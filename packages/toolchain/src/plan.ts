import { openCheckpoint } from "@llm/checkpoint";
import type { ModelCard, Plan, Target } from "@llm/target";
import { modelCard } from "./model-card.ts";
import { graphOf, overridesOf } from "./open-model.ts";
import { planOnMesh } from "./plan-mesh.ts";
import { type ResolveOptions, resolveModel } from "./resolve-model.ts";
import { optionsOf, targetOptions } from "./target-options.ts";

export interface PlanOptions extends ResolveOptions {
  readonly config?: readonly string[];
  /** "max": as many as fit. */
  readonly batchSize?: number | "max" | undefined;
  /** DPxMP or DPxMPxPP devices, or "auto" for as many as serve it best. */
  readonly mesh?: string | undefined;
  readonly targetOptions?: Readonly<Record<string, unknown>>;
}

export interface PlanReport {
  readonly card: ModelCard;
  /** The target's, with all defaults. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly plan: Plan;
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
    const planned = (batchSize: number | undefined) => {
      if (options.mesh !== undefined) {
        const given = { ...options.targetOptions, ...optionsOf(target, { batchSize }) };
        return { card, ...planOnMesh(target, graph, options.mesh, given) };
      }
      const chosen = targetOptions(target, { ...options.targetOptions, ...optionsOf(target, { batchSize }) });
      return { card, options: chosen as Record<string, unknown>, plan: target.plan(graph, chosen) };
    };
    if (options.batchSize !== "max") return planned(options.batchSize);
    return planned(Math.max(1, planned(1).plan.maxBatchSize));
  } finally {
    await checkpoint.close();
  }
}
