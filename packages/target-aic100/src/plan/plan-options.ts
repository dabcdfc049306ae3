import { parseMesh } from "@llm/target/mesh";
import { coresOf, sharedBy } from "../devices.ts";
import { generationOf } from "../graph/settle.ts";
import type { Aic100Options } from "../options.ts";
import { CARD_FACTS } from "./cards.ts";
import type { PlanRequest } from "./plan-aic100.ts";

/** What is planned for, of what a user said. */
export function planRequest(options: Aic100Options): PlanRequest {
  const { card = "standard", batchSize, fullBatchSize, promptLen, ctxLen, mxint8, replicateKvHeads } = options;
  return {
    card,
    devices: sharedBy(options),
    copies: options.mesh === undefined ? 1 : parseMesh(options.mesh).dp,
    numCores: Math.min(coresOf(options), CARD_FACTS[card].cores),
    batchSize,
    fullBatchSize,
    promptLen,
    ctxLen,
    mxfp6: options.mxfp6 || options.format === "mx6",
    mxint8,
    replicateKvHeads,
    generation: generationOf(options.sdk),
    assume: options.assume,
  };
}
