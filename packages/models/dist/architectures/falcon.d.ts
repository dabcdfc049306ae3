import type { Architecture } from "../architecture.ts";
/** Falcon: 7B with one key head for all, 40B, 180B and 11B with groups, RW with ALiBi and a head each. */
export declare const falcon: Architecture;
//# sourceMappingURL=falcon.d.ts.map