import type { Graph } from "@llm/core-ir";
import type { OnnxFunction, OnnxModel, OnnxNode } from "@llm/exporter";
import { CTX_DOMAIN } from "./functions.ts";

/**
 * The model with every block's nodes in a function, and one node that calls it. Blocks that do the same share a function: its
 * values are numbered in order, and weights are its inputs. What several blocks read and none of them is (sizes of
 * inputs, say) stays outside.
 */
export function blockFunctions(model: OnnxModel, graph: Graph): OnnxModel {
  const blockOf = blocksOfNodes(model.nodes, graph);
  const outside = sharedNodes(model, blockOf);
  const functions = new Map<string, OnnxFunction>(); // by body
  const nodes: OnnxNode[] = model.nodes.filter((node) => outside.has(node));
  const rest = model.nodes.filter((node) => !outside.has(node));
  for (let from = 0; from < rest.length; ) {
    const block = blockOf.get(rest[from]!);
    let to = from + 1;
    while (to < rest.length && block !== undefined && blockOf.get(rest[to]!) === block) to++;
    const own = rest.slice(from, to);
    const inside = new Set(own);
    const later = [...nodes, ...rest.filter((node) => !inside.has(node))].flatMap(({ inputs }) => inputs);
    if (block === undefined || !REPEATED.test(block)) nodes.push(...own);
    else
      nodes.push(called(own, block, new Set([...later, ...model.outputs.map(({ name }) => name)]), model, functions));
    from = to;
  }
  return {
    ...model,
    nodes,
    functions: [...(model.functions ?? []), ...functions.values()],
    // A part of a model may call nothing else of that domain.
    opsets: functions.size > 0 ? { ...model.opsets, [CTX_DOMAIN]: 1 } : model.opsets,
  };
}

/** Blocks that there are many of. */
const REPEATED = /^block_\d+$/;

/** A node's block: that of the next value of the graph that is made, because an op's last node makes its result. */
function blocksOfNodes(nodes: readonly OnnxNode[], graph: Graph): Map<OnnxNode, string | undefined> {
  const blockOfValue = new Map<string, string | undefined>();
  graph.ops.forEach(({ outs }, at) => {
    const block = graph.blocks.find(({ from, to }) => at >= from && at < to)?.name;
    for (const { id } of outs) blockOfValue.set(id, block);
  });
  const found = new Map<OnnxNode, string | undefined>();
  let current: string | undefined;
  for (const node of nodes.toReversed()) {
    const made = node.outputs.find((name) => blockOfValue.has(name));
    if (made !== undefined) current = blockOfValue.get(made);
    found.set(node, current);
  }
  return found;
}

/** Nodes between the values of the graph that depend on inputs alone: sizes, which the first block to ask has made for all. */
function sharedNodes({ inputs, nodes, initializers }: OnnxModel, blockOf: ReadonlyMap<OnnxNode, string | undefined>) {
  const given = new Set([...inputs, ...initializers].map(({ name }) => name));
  const shared = new Set<OnnxNode>();
  for (const node of nodes) {
    const block = blockOf.get(node);
    if (block === undefined || !REPEATED.test(block) || !node.inputs.every((name) => name === "" || given.has(name)))
      continue;
    if (!SIZES.has(node.op)) continue;
    shared.add(node);
    for (const name of node.outputs) given.add(name);
  }
  return shared;
}

/** What sizes are computed by. */
const SIZES: ReadonlySet<string> = new Set([
  "Shape",
  "Slice",
  "Concat",
  "Mul",
  "Add",
  "Sub",
  "Neg",
  "Squeeze",
  "Range",
  "Cast",
]);

/** The node that calls a function of these nodes, which is made unless there is one like it. */
function called(
  nodes: readonly OnnxNode[],
  block: string,
  read: ReadonlySet<string>,
  { opsets }: OnnxModel,
  functions: Map<string, OnnxFunction>,
): OnnxNode {
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const inputs = [...new Set(nodes.flatMap((node) => node.inputs))].filter((name) => name !== "" && !made.has(name));
  const outputs = [...made].filter((name) => read.has(name));
  const names = new Map([...inputs, ...made].map((name, at) => [name, `v${at}`]));
  const rename = (name: string) => (name === "" ? "" : names.get(name)!);
  const body = nodes.map(({ name: _, ...node }) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
  const key = JSON.stringify([inputs.length, outputs.map(rename), body], (_, value) =>
    typeof value === "bigint" ? `${value}n` : value,
  );
  let fn = functions.get(key);
  if (!fn) {
    const domains = new Set(nodes.map(({ domain = "" }) => domain));
    fn = {
      name: functions.size === 0 ? "DecoderBlock" : `DecoderBlock_${functions.size + 1}`,
      domain: CTX_DOMAIN,
      inputs: inputs.map(rename),
      outputs: outputs.map(rename),
      attributes: [],
      opsets: Object.fromEntries(Object.entries(opsets).filter(([domain]) => domains.has(domain) || domain === "")),
      nodes: body,
    };
    functions.set(key, fn);
  }
  return { op: fn.name, domain: CTX_DOMAIN, name: block, inputs, outputs };
}
