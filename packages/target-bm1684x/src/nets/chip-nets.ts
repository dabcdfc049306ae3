import {
  blockResults,
  corePasses,
  type Graph,
  GraphError,
  type Move,
  type Net,
  type PassStep,
  type Program,
  programOf,
  removeDead,
  runPipeline,
  type Value,
} from "@llm/core-ir";
import { nameParts } from "./name-parts.ts";
import { renameValues } from "./rename-values.ts";
import type { Stage } from "./stage.ts";

export interface ChipStage extends Stage {
  readonly chips: number;
  /** Inner widths are cut at multiples of this, so that no group of weights has two chips. */
  readonly step: number;
}

/**
 * One stage of a model whose layers several chips share: the embedding, which the first chip has whole, since no chip can look
 * rows up by anything but a net's own inputs, and of every chip the parts of each block, cut where it needs the others' terms.
 */
export function chipNets(graph: Graph, { past, seqLength, chips, step }: ChipStage): Program {
  const run = (program: Program, steps: readonly PassStep[]) => runPipeline(program, steps, { passes: corePasses });
  const specialise = {
    pass: "specialise",
    params: { sizes: { batch: 1, seq: past ? 1 : seqLength, past: seqLength } },
  };
  const padded = run(programOf(graph), [
    { pass: "pad", params: { slots: "rows" } },
    { pass: "last-token", params: { at: "end" } },
  ]);
  const whole = padded.nets[0]!.graph;
  const stream = embedded(whole);
  const embedding = run(padded, [specialise, { pass: "split-blocks" }]).nets.find(({ id }) => id === EMBEDDING)!;
  // Cut first: caches, masks and tables are then made in the parts that use them, and none is handed on.
  const cut = run(programOf(withWholeStream(withoutEmbedding(whole, stream))), [
    { pass: "partition", params: { mp: chips, step } },
    { pass: "cut-at-collectives" },
  ]);
  const parts = run(nameParts(withTakenOutputs(cut), chips), [
    { pass: "cache-form", params: { form: "history", layout: "tokens", mask: "input", past } },
    specialise,
    { pass: "rotary-tables", params: { context: seqLength } },
  ]);
  const given = parts.nets
    .filter((net) => net.graph.inputs.some(({ id }) => id === stream.id))
    .map(({ id }): Move => ({ from: { net: EMBEDDING, output: stream.id }, to: { net: id, input: stream.id } }));
  return { nets: [{ ...embedding, rank: 0 }, ...parts.nets.map(withLayer)], moves: [...given, ...parts.moves] };
}

const EMBEDDING = "embedding";

/** What blocks are given. */
function embedded(graph: Graph): Value {
  const results = blockResults(graph).get(EMBEDDING) ?? [];
  if (results.length !== 1)
    throw new GraphError("unsupported", `${graph.name}'s embedding hands on ${results.length} values, not one`);
  return results[0]!;
}

function withoutEmbedding(graph: Graph, stream: Value): Graph {
  const { from, to } = graph.blocks.find(({ name }) => name === EMBEDDING)!;
  const count = to - from;
  const rest = removeDead({
    ...graph,
    inputs: [...graph.inputs, stream],
    ops: [...graph.ops.slice(0, from), ...graph.ops.slice(to)],
    blocks: graph.blocks
      .filter(({ name }) => name !== EMBEDDING)
      .map((block) => (block.from < to ? block : { ...block, from: block.from - count, to: block.to - count })),
  });
  const used = new Set(rest.ops.flatMap(({ ins }) => ins.map((value) => value?.id)));
  return { ...rest, inputs: rest.inputs.filter(({ id }) => used.has(id)) };
}

/**
 * The last block's result is an output, too: so it is put together by its own block, for every row of a prompt, and not after the
 * head has chosen one.
 */
function withWholeStream(graph: Graph): Graph {
  const results = [...blockResults(graph).values()].filter((values) => values.length > 0);
  return { ...graph, outputs: [...graph.outputs, ...results.at(-1)!] };
}

/** Logits, and what other nets take. */
function withTakenOutputs({ nets, moves }: Program): Program {
  const taken = new Set(moves.map(({ from }) => `${from.net} ${from.output}`));
  const kept = (net: Net): Graph => {
    const outputs = net.graph.outputs.filter(({ id }) => id === "logits" || taken.has(`${net.id} ${id}`));
    return removeDead({ ...net.graph, outputs });
  };
  return { nets: nets.map((net) => ({ ...net, graph: kept(net) })), moves };
}

/** A part's attention is its first; of the model it is its block's. */
function withLayer(net: Net): Net {
  const layer = Number(/^block_(\d+)/.exec(net.id)?.[1]);
  const { graph } = net;
  const named = renameValues(graph, ({ id }) => id.replace(/^cache\.0\./, `cache.${layer}.`));
  const states = named.states.map((state) =>
    "layer" in state.role ? { ...state, role: { ...state.role, layer } } : state,
  );
  return { ...net, graph: { ...named, states } };
}
