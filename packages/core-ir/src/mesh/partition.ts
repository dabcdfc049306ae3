import { GraphError } from "../error.ts";
import type { Net, Program } from "../graph.ts";
import { pass } from "../pass.ts";
import { splitLinears } from "../passes/split-linears.ts";
import { boolean, choice, integer, optional, schema } from "../schema.ts";
import { type Placed, place } from "./place.ts";
import { shardGraph } from "./shard-graph.ts";

export interface MeshAxes {
  /** How many devices share each layer. */
  readonly mp: number;
  /** Inner widths are cut at multiples of this; 1 unless said. */
  readonly step?: number;
  /** Whether ranks keep the whole residual stream or a part of its width. */
  readonly residual?: "whole" | "split";
}

/** A graph with fused projections taken apart where ranks need to, and a placement for each of its values. */
export function placeGraph(graph: Program["nets"][number]["graph"], { mp, step, residual }: MeshAxes): Placed {
  const apart = splitLinears.run({ nets: [{ id: "model", graph }], moves: [] }, { groups: mp }, { dialects: [] });
  return place(mp === 1 ? graph : apart.nets[0]!.graph, {
    ranks: mp,
    ...(step === undefined ? {} : { step }),
    ...(residual === undefined ? {} : { residual }),
  });
}

/** One net for each of the devices that share the layers, with collectives where they need one another. */
export const partition = pass({
  name: "partition",
  doc: "Makes a net for each device of a mesh: its slices of the weights, and collectives where it needs the others.",
  params: schema({
    mp: integer(1),
    step: optional(integer(1)),
    residual: optional(choice("whole", "split")),
    /** What comes between blocks is kept apart from both: for nets that will be cut into stages. */
    edges: optional(boolean),
  }),
  run(program, { edges = false, ...axes }) {
    const [net] = program.nets;
    if (!net || program.nets.length > 1) throw new GraphError("unsupported", "partition takes a program of one net");
    const placed = placeGraph(net.graph, axes);
    const ranks = Array.from(
      { length: axes.mp },
      (_, rank): Net => ({ id: rankId(rank), rank, graph: shardGraph(placed, rank, { edges }) }),
    );
    return { nets: ranks, moves: [] };
  },
});

/** What the net of a rank is called. */
function rankId(rank: number): string {
  return `rank${rank}`;
}
