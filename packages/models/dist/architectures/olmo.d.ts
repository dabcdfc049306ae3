import type { Architecture } from "../architecture.ts";
/** OLMo: layer norms without weights, projections bounded. */
export declare const olmo: Architecture;
//# sourceMappingURL=olmo.d.ts.map