import type { Architecture } from "../architecture.ts";
/** Gemma: Llama with norms stored less 1, the embedding scaled by √width, and a gated tanh-GELU. */
export declare const gemma: Architecture;
//# sourceMappingURL=gemma.d.ts.map