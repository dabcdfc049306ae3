import type { Binding } from "./bind.ts";
import { leavesOf } from "./expr/leaves.ts";
import { read } from "./read/read.ts";
import type { WeightSource } from "./source.ts";

/**
 * A binding in which unused biases that are zero throughout count as harmless: early GPTQ tools stored one for each linear,
 * whether the model has it or not. Only such biases are read, and only where the layer's weight is used.
 */
export async function withoutZeroBiases(binding: Binding, source: WeightSource): Promise<Binding> {
  const used = new Set(binding.exprs.flatMap(leavesOf).map(({ name }) => name));
  const unused: string[] = [];
  const ignored = [...binding.ignored];
  for (const name of binding.unused) {
    const layer = /^(.*)\.bias$/.exec(name)?.[1];
    if (layer !== undefined && used.has(`${layer}.weight`) && (await isZero(name, source)))
      ignored.push({ name, reason: "a bias of zeros, which adds nothing" });
    else unused.push(name);
  }
  return { ...binding, unused, ignored };
}

async function isZero(name: string, source: WeightSource): Promise<boolean> {
  const { shape } = source.get(name)!;
  if (shape.length !== 1) return false; // a table that goes by the name is too large to look through
  const { data } = await read({ op: "tensor", name, shape }, source, "f32");
  return (data as Float32Array).every((value) => value === 0);
}
