import type { Graph } from "@llm/core-ir";
import type { Plan, Target } from "@llm/target";
import {
  chooseMesh,
  DEFAULT_WORK,
  DEVICES,
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
 * the device's description. A target that runs meshes itself plans the mesh exactly; of another, the description answers.
 */
export function planOnMesh(
  target: Target,
  graph: Graph,
  mesh: string,
  given: Readonly<Record<string, unknown>>,
): { options: Record<string, unknown>; plan: Plan } {
  const options = targetOptions(target, given, graph) as Record<string, unknown>;
  const described: DescribedDevice | undefined =
    target.describe?.(options, graph) ??
    (Object.hasOwn(DEVICES, target.id) ? { device: DEVICES[target.id as keyof typeof DEVICES] } : undefined);
  if (!described)
    throw new ToolchainError("option-invalid", `--mesh: nothing is known of how devices of ${target.id} share a model`);
  const work = workOf(graph, described, options);
  const isExact = Object.hasOwn(target.options, "mesh");
  const exactly = (named: Mesh) => {
    const exact = targetOptions(target, { ...given, mesh: meshText(named) }, graph);
    return { options: exact as Record<string, unknown>, plan: target.plan(graph, exact) };
  };
  const choice =
    mesh === "auto"
      ? choose(graph, described, work, isExact ? (named) => exactly(named).plan.fits : undefined)
      : only(graph, mesh, described, work);
  if (!isExact) return { options, plan: planOf(choice, described, work) };
  const planned = exactly((choice.chosen ?? choice.plans[0]!).mesh);
  return { ...planned, plan: { ...planned.plan, meshes: choice } };
}

function workOf(graph: Graph, { work }: DescribedDevice, options: Readonly<Record<string, unknown>>): MeshWork {
  const most = graph.dims.context?.max ?? DEFAULT_WORK.context;
  const { ctxLen, batchSize } = options as { readonly ctxLen?: number; readonly batchSize?: number };
  const context = Math.min(ctxLen || (work?.context ?? most), most);
  return { ...DEFAULT_WORK, ...work, context, ...(batchSize ? { batch: batchSize } : {}) };
}

function only(graph: Graph, mesh: string, { device }: DescribedDevice, work: MeshWork): MeshChoice {
  const plan = planMesh(graph, parseMesh(mesh), device, work);
  return { chosen: plan.fits ? plan : undefined, plans: [plan], why: plan.why };
}

function choose(
  graph: Graph,
  { device, runs }: DescribedDevice,
  work: MeshWork,
  holds: ((mesh: Mesh) => boolean) | undefined,
): MeshChoice {
  return chooseMesh(graph, device, work, { ...(runs ? { runs } : {}), ...(holds ? { holds } : {}) });
}

/** A target's plan, of what its device's description says. */
function planOf(choice: MeshChoice, { device }: DescribedDevice, work: MeshWork): Plan {
  const { mesh, shards, fits } = choice.chosen ?? choice.plans[0]!;
  const rooms = shards.map(({ kv, free }) =>
    kv === 0 ? Number.POSITIVE_INFINITY : (kv + free) / (kv / Math.ceil(work.batch / mesh.dp)),
  );
  const most = Math.max(0, Math.floor(Math.min(...rooms)));
  return {
    fits,
    maxBatchSize: Number.isFinite(most) ? most * mesh.dp : 0,
    devices: Array.from({ length: mesh.dp }, (_, copy) =>
      shards.map(({ rank, stage, weights, kv, reserve, free }) => ({
        name: `${device.name}${mesh.dp > 1 ? ` ${copy + 1}` : ""}, shard ${rank + 1}${mesh.pp > 1 ? `, stage ${stage + 1}` : ""}`,
        total: device.memory,
        weights,
        kv,
        activations: 0,
        reserve,
        free,
      })),
    ).flat(),
    why: choice.why,
    meshes: choice,
  };
}
