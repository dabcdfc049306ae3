import type { Graph } from "@llm/core-ir";
import { TargetError } from "@llm/target";

interface Refusal {
  readonly ops: readonly string[];
  readonly what: string;
  readonly why: string;
}

/** What models have that the vendor's compiler can't be told. */
export const REFUSALS: readonly Refusal[] = [
  {
    ops: ["route", "experts"],
    what: "mixtures of experts",
    why: "the compiler looks rows up by a net's inputs only, and which expert's they are is found out inside",
  },
  {
    ops: ["latent_attention"],
    what: "latent attention (DeepSeek's)",
    why: "a session keeps keys and values, not the vector they are made of",
  },
];

/** Models that can't be compiled are refused before anything is made of them. */
export function checkSupported(model: Graph): void {
  for (const { ops, what, why } of REFUSALS)
    if (model.ops.some(({ kind }) => ops.includes(kind)))
      throw new TargetError("unsupported", `BM1684X has no ${what}: ${why}`);
}
