import type { Block, Graph, Op } from "./graph.ts";
import { typeText } from "./shape.ts";

/** A run of consecutive blocks that are alike but for their weights. */
export interface BlockRun {
  readonly blocks: readonly Block[];
  /** Ops that stand before the run, outside all blocks. */
  readonly loose: readonly Op[];
}

/** The blocks of a graph in order, equal neighbours together: work done for the first of a run holds for the others. */
export function blockRuns(graph: Graph): readonly BlockRun[] {
  const runs: { blocks: Block[]; loose: readonly Op[] }[] = [];
  let last: string | undefined;
  let end = 0;
  for (const block of graph.blocks) {
    const loose = graph.ops.slice(end, block.from);
    const text = blockText(graph, block);
    if (text === last && loose.length === 0) runs.at(-1)!.blocks.push(block);
    else runs.push({ blocks: [block], loose });
    last = text;
    end = block.to;
  }
  return runs;
}

/** A block as text without names: equal for blocks that do the same with other weights and caches. */
export function blockText(graph: Graph, { from, to }: Block): string {
  const given = new Map(graph.inputs.map(({ id }, n) => [id, `in${n}`]));
  for (const { value } of graph.constants) given.set(value.id, value.id);
  const numbers = new Map<string, string>();
  const lines = graph.ops.slice(from, to).map((op) => {
    const ins = op.ins.map((value) => {
      if (!value) return "_";
      // Inputs and constants are the same for all blocks; anything else is known by when it came in, and its type.
      const known = given.get(value.id) ?? numbers.get(value.id);
      if (known) return known;
      numbers.set(value.id, `#${numbers.size}`);
      return `#${numbers.size - 1}:${typeText(value.type)}`;
    });
    for (const out of op.outs) numbers.set(out.id, `#${numbers.size}`);
    return `${op.kind}(${ins.join()})${JSON.stringify(op.attrs)}${op.outs.map(({ type }) => typeText(type)).join()}`;
  });
  return lines.join("\n");
}
