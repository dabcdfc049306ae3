import type { Architecture } from "../architecture.ts";
/** Granite-MoE: Granite with experts whose gate and up projection are one tensor for all. */
export declare const granitemoe: Architecture;
//# sourceMappingURL=granitemoe.d.ts.map