import type { Graph } from "@llm/core-ir";
import type { Choice } from "@llm/target";
import { devicesOf, meshText } from "@llm/target/mesh";
import type { Bm1684xOptions } from "../options.ts";
import { sharingOf } from "./sharing.ts";

/** Settles how several chips share a model. */
export function chooseBm1684x(model: Graph, options: Bm1684xOptions): Choice<Bm1684xOptions> {
  const { mesh, choice } = sharingOf(model, options);
  const numDevice = mesh.mp * mesh.pp;
  if (devicesOf(mesh) === 1) return { options, notes: [] };
  return {
    options: { ...options, numDevice, mesh: meshText(mesh) },
    notes: choice ? [`--num-device ${numDevice}: ${choice.why}; --mesh says otherwise`] : [],
  };
}
