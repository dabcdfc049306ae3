import type { Architecture } from "../architecture.ts";
/** Gemma 2: Gemma with a norm on either side of each half, soft caps, and every other layer sliding. */
export declare const gemma2: Architecture;
//# sourceMappingURL=gemma2.d.ts.map