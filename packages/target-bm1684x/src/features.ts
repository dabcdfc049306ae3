import type { Feature } from "@llm/target";

/** What this target does, and on what that was shown. */
export const bm1684xFeatures: readonly Feature[] = [
  { name: "16-bit weights", state: "yes", shown: "simulator" },
  { name: "4- and 8-bit weights", state: "yes", shown: "simulator", note: "linears, in groups; the head in 8 bits" },
];
