import type { Architecture } from "../architecture.ts";
/** MPT: ALiBi or learned positions, projections that may be bounded and normed, no biases as a rule. */
export declare const mpt: Architecture;
//# sourceMappingURL=mpt.d.ts.map