import type { Architecture } from "../architecture.ts";
/** OLMo 2: norms after each half, and on all of q and k at once. */
export declare const olmo2: Architecture;
//# sourceMappingURL=olmo2.d.ts.map