import type { DescribedDevice } from "@llm/target/mesh";
import { MOST_DEVICES } from "../compile/settings.ts";
import { cardOf, saidCount } from "../devices.ts";
import type { Aic100Options } from "../options.ts";
import { assume } from "./assumptions.ts";
import { planRequest } from "./plan-options.ts";

/** A card's SoC as planning a mesh sees it, by what plans go by. */
export function describeAic100(options: Aic100Options): DescribedDevice {
  const { numCores, batchSize, fullBatchSize, promptLen, ctxLen, mxfp6, mxint8, assume: said } = planRequest(options);
  const card = cardOf(options);
  const assumed = assume(card, said);
  const count = saidCount(options);
  return {
    device: {
      name: card.title,
      memory: Math.floor(assumed.memory * assumed.gigabyte),
      reserve: assumed.reserve,
      bandwidth: assumed.bandwidth * assumed.bandwidthShare,
      compute: (assumed.fp16 * (numCores ?? card.cores)) / card.cores,
      link: { bandwidth: assumed.linkBandwidth, latency: assumed.linkLatency, way: "ring" },
      most: count ?? (card.socs > 1 ? card.socs : MOST_DEVICES), // of single cards a machine may have any number
    },
    runs: ({ dp, mp, pp }) => dp === 1 && pp === 1 && (count === undefined || mp === count),
    work: {
      batch: Math.max(batchSize, fullBatchSize),
      chunk: promptLen,
      context: ctxLen,
      weightBits: mxfp6 ? assumed.mxfp6Bits : assumed.weightBits,
      tableBits: assumed.weightBits,
      cacheBits: mxint8 ? assumed.mxint8Bits : assumed.cacheBits,
      talkBits: assumed.activationBits,
    },
  };
}
