import { type Graph, matricesOf } from "@llm/core-ir";
import { DTYPES, leavesOf, type WeightSource } from "@llm/tensor";

/** What `matmulnbits4` says again without a loss: blocks of 32 with the same codes. */
const HELD_BY_INT4 = new Set<string>(["q4_0"]);

/** In which quantised formats a checkpoint keeps weights of linears and experts that 4 bits in our groups would round once more. */
export function roundedAgain(model: Graph, source: Pick<WeightSource, "get">): readonly string[] {
  const multiplied = new Set(model.ops.flatMap(matricesOf).map(({ id }) => id));
  const formats = new Set<string>();
  for (const { value, expr } of model.weights)
    if (multiplied.has(value.id))
      for (const { name } of leavesOf(expr)) {
        const format = source.get(name)?.format;
        if (format !== undefined && !Object.hasOwn(DTYPES, format) && !HELD_BY_INT4.has(format)) formats.add(format);
      }
  return [...formats].sort();
}
