import type { Bm1684xOptions } from "../options.ts";

/** Options as they are unless said. */
export function optionsOf(given: Partial<Bm1684xOptions> = {}): Bm1684xOptions {
  return {
    mode: "F16",
    ctxLen: 512,
    qGroupSize: 64,
    numDevice: 1,
    name: "",
    device: [0],
    simulate: false,
    batchSize: 1,
    ...given,
  };
}
