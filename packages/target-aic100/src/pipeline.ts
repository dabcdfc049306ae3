import type { Graph } from "@llm/core-ir";
import type { PassCall } from "@llm/target";
import { checkModel, settle } from "./graph/settle.ts";
import type { Aic100Options } from "./options.ts";

/** From a canonical decoder graph to the card's. */
export function aic100Pipeline(model: Graph, options: Aic100Options): readonly PassCall[] {
  checkModel(model, options);
  const { generation, shapes, ctxLen, dtype, weights, replicas, ranks, compContexts, sampler } = settle(options);
  const positions = {
    batchIndex: shapes.batchIndex,
    keepLogits: shapes.decode > 1,
    compContext: compContexts !== undefined,
  };
  return [
    // The compiler rounds weights itself; only what runs here has to be given rounded ones.
    ...(options.emulate && weights ? [{ pass: "quantise", params: { format: weights } }] : []),
    ...(replicas > 1 ? [{ pass: "replicate-kv-heads", params: { times: replicas } }] : []),
    { pass: "scale-queries" },
    ...(dtype === "f16" ? [{ pass: "precision", params: { dtype, keep: ["norm"], wideOutputs: false } }] : []),
    // Inner widths are cut where blocks of MXFP6 end.
    ...(ranks > 1 ? [{ pass: "partition", params: { mp: ranks, ...(weights ? { step: 32 } : {}) } }] : []),
    { pass: "rotary-tables", params: { context: ctxLen } },
    {
      pass: "aic100-graph",
      params: {
        generation,
        ctxLen,
        chunk: Math.max(shapes.prefill, shapes.decode),
        ...(generation === "positions" ? positions : { flatSingleHead: true }),
      },
    },
    ...(sampler ? [{ pass: "aic100-sample-tokens", params: { ...sampler } }] : []),
    { pass: "clip-constants" },
    { pass: "fold-constants" },
    ...(ranks > 1 ? [{ pass: "cut-at-collectives" }, { pass: "aic100-recompute-shared" }] : []),
  ];
}
