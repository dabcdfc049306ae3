import {
  corePasses,
  type Graph,
  GraphError,
  type Move,
  type Net,
  type PassStep,
  type Program,
  pass,
  programOf,
  rewriteGraph,
  runPipeline,
  schema,
  type Value,
} from "@llm/core-ir";
import { chipNets } from "./chip-nets.ts";
import { headNets } from "./heads.ts";
import type { Stage } from "./stage.ts";

/**
 * Nets as BM1684X's runtime runs them: each block for a whole prompt, and for one token with a history; where several chips share
 * each layer, parts of blocks for each chip.
 */
export const deviceNets = pass({
  name: "bm1684x-nets",
  doc: "Makes the nets of BM1684X: embedding, block_i and, with a history, block_cache_i, all of fixed sizes, and lm_head.",
  params: schema.schema({
    /** Places of a history, and tokens of a prompt's net. */
    seqLength: schema.integer(2),
    /** How many chips share each layer, and what inner widths are cut at multiples of; one chip unless said. */
    chips: schema.optional(schema.integer(1)),
    step: schema.optional(schema.integer(1)),
  }),
  run(program, { seqLength, chips = 1, step = 1 }) {
    const [net] = program.nets;
    if (!net || program.nets.length > 1)
      throw new GraphError("unsupported", "bm1684x-nets takes a program of one net, before anything is split");
    checkDims(net.graph, seqLength);
    const stageOf = (past: boolean) =>
      chips === 1 ? stage(net.graph, { past, seqLength }) : chipNets(net.graph, { past, seqLength, chips, step });
    return joined(stageOf(false), stageOf(true), vocabOf(net.graph));
  },
});

function checkDims(graph: Graph, seqLength: number): void {
  const most = graph.dims.context?.max;
  if (most !== undefined && seqLength > most)
    throw new GraphError("unsupported", `a length of ${seqLength} is more than the model takes (${most})`);
}

function stage(graph: Graph, { past, seqLength }: Stage): Program {
  const steps: readonly PassStep[] = [
    { pass: "pad", params: { slots: "rows" } },
    { pass: "last-token", params: { at: "end" } },
    { pass: "cache-form", params: { form: "history", layout: "tokens", mask: "input", past } },
    { pass: "specialise", params: { sizes: { batch: 1, seq: past ? 1 : seqLength, past: seqLength } } },
    { pass: "rotary-tables", params: { context: seqLength } },
    { pass: "split-blocks" },
  ];
  return runPipeline(programOf(graph), steps, { passes: corePasses });
}

/** Of the prompt's stage the head is left out: it sees one row, whichever stage that comes from. */
function joined(prompt: Program, token: Program, vocab: number): Program {
  const first = withoutHead(prompt);
  const second = renamed(token, (id) => id.replace(/^(embedding|block)/, "$1_cache"));
  return {
    nets: [...[...first.nets, ...second.nets].map(ordered), ...headNets(vocab)],
    moves: [...first.moves, ...second.moves],
  };
}

function vocabOf({ outputs }: Graph): number {
  const vocab = outputs.find(({ id }) => id === "logits")?.type.shape.at(-1);
  if (typeof vocab !== "number") throw new GraphError("unsupported", "a model without logits has no tokens to choose");
  return vocab;
}

function withoutHead({ nets, moves }: Program): Program {
  const isHead = (net: string) => net.startsWith("lm_head");
  return { nets: nets.filter(({ id }) => !isHead(id)), moves: moves.filter(({ to }) => !isHead(to.net)) };
}

function renamed({ nets, moves }: Program, name: (id: string) => string): Program {
  return {
    nets: nets.map((net) => ({ ...net, id: name(net.id) })),
    moves: moves.map(
      ({ from, to, ...rest }): Move => ({
        ...rest,
        from: { ...from, net: name(from.net) },
        to: { ...to, net: name(to.net) },
      }),
    ),
  };
}

/** Hidden states, ids and whatever else comes from other nets first; then positions, then masks. */
function ordered(net: Net): Net {
  const rank = ({ id }: Value) => (id === "positions" ? 1 : isMask(id) ? 2 : 0);
  const inputs = [...net.graph.inputs].sort((a, b) => rank(a) - rank(b));
  return { ...net, graph: withWideMasks({ ...net.graph, inputs }) };
}

/** Masks come with an axis for heads, [1, 1, rows, places]: as in the vendor's own models. */
function withWideMasks(graph: Graph): Graph {
  return rewriteGraph(graph, {
    input({ id, type }, b) {
      if (!isMask(id)) return undefined;
      b.release(id);
      return b.reshape(b.input(id, type.dtype, [1, ...type.shape]), type.shape);
    },
  });
}

/** Masks are inputs that the history form makes. */
export function isMask(input: string): boolean {
  return input === "mask" || input.startsWith("mask.");
}
