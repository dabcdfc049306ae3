import { parseMesh } from "@llm/target/mesh";
import type { Aic100Options } from "../options.ts";
import type { PlanRequest } from "./plan-aic100.ts";

/** What is planned for, of what a user said. */
export function planRequest(options: Aic100Options): PlanRequest {
  const { card, socs, deviceGroup, batchSize, fullBatchSize, promptLen, ctxLen, mxint8, replicateKvHeads } = options;
  const devices = Math.max(socs, deviceGroup.length, parseMesh(options.mesh).mp);
  return {
    card,
    devices: devices > 1 ? devices : 0,
    batchSize,
    fullBatchSize,
    promptLen,
    ctxLen,
    mxfp6: options.mxfp6 || options.format === "mx6",
    mxint8,
    replicateKvHeads,
    assume: options.assume,
  };
}
