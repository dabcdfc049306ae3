import type { Architecture } from "../architecture.ts";
/** Cohere 2 (Command R7B, A): sliding layers are rotated, those that see everything know no positions. */
export declare const cohere2: Architecture;
//# sourceMappingURL=cohere2.d.ts.map