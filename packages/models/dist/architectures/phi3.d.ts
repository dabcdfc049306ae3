import type { Architecture } from "../architecture.ts";
/** Phi-3 and 4: Llama with fused projections; longer contexts by longrope. */
export declare const phi3: Architecture;
//# sourceMappingURL=phi3.d.ts.map