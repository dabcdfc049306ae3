import type { Graph } from "@llm/core-ir";
import type { Plan, Target } from "@llm/target";
import {
  chooseMesh,
  DEFAULT_WORK,
  type DescribedDevice,
  type Mesh,
  type MeshChoice,
  type MeshWork,
  meshText,
  parseMesh,
  planMesh,
} from "@llm/target/mesh";
import { ToolchainError } from "./error.ts";
import { targetOptions } from "./target-options.ts";

/**
 * A target's plan for a model on a mesh: the one that is named, or with "auto" the one that makes most tokens a second by
 * the device's description.
 */
export function planOnMesh(
  target: Target,
  graph: Graph,
  mesh: string,
  given: Readonly<Record<string, unknown>>,
): { options: Record<string, unknown>; plan: Plan } {
  const options = targetOptions(target, given, graph) as Record<string, unknown>;
  const described = target.describe?.(options, graph);
  if (!described)
    throw new ToolchainError("option-invalid", `--mesh: nothing is known of how devices of ${target.id} share a model`);
  const work = workOf(graph, described, options);
  const exactly = (named: Mesh) => {
    const exact = targetOptions(target, { ...given, mesh: meshText(named) }, graph);
    return { options: exact as Record<string, unknown>, plan: target.plan(graph, exact) };
  };
  const choice =
    mesh === "auto"
      ? choose(graph, described, work, (named) => exactly(named).plan.fits)
      : only(graph, mesh, described, work);
  const planned = exactly((choice.chosen ?? choice.plans[0]!).mesh);
  return { ...planned, plan: { ...planned.plan, meshes: choice } };
}

/** What the target says of the work, and where it says nothing, the options that every target has. */
function workOf(graph: Graph, { work }: DescribedDevice, options: Readonly<Record<string, unknown>>): MeshWork {
  const most = graph.dims.context?.max ?? DEFAULT_WORK.context;
  const { ctxLen, batchSize } = options as { readonly ctxLen?: number; readonly batchSize?: number };
  const context = Math.min(ctxLen || (work?.context ?? most), most);
  return { ...DEFAULT_WORK, ...(batchSize ? { batch: batchSize } : {}), ...work, context };
}

function only(graph: Graph, mesh: string, { device }: DescribedDevice, work: MeshWork): MeshChoice {
  const plan = planMesh(graph, parseMesh(mesh), device, work);
  return { chosen: plan.fits ? plan : undefined, plans: [plan], why: plan.why };
}

function choose(
  graph: Graph,
  { device, runs }: DescribedDevice,
  work: MeshWork,
  holds: (mesh: Mesh) => boolean,
): MeshChoice {
  return chooseMesh(graph, device, work, { ...(runs ? { runs } : {}), holds });
}
