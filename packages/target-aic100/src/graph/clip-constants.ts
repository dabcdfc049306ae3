import { type Constant, type Graph, graphPass, type Pass, schema } from "@llm/core-ir";

/** fp16's largest number. */
const LARGEST = 65504;

/** The card computes in fp16 whatever a graph says: masks and bounds outside its range would be infinite there. */
export const clipConstants: Pass = graphPass({
  name: "clip-constants",
  doc: "Clips float constants to fp16's range, so that a device that computes in fp16 has no infinities of them.",
  params: schema.schema({}),
  run: (graph: Graph) => ({ ...graph, constants: graph.constants.map(clipped) }),
});

function clipped(constant: Constant): Constant {
  const { data } = constant.data;
  if (!(data instanceof Float32Array) || data.every((x) => Math.abs(x) <= LARGEST)) return constant;
  const within = data.map((x) => Math.min(Math.max(x, -LARGEST), LARGEST));
  return { ...constant, data: { ...constant.data, data: within } };
}
