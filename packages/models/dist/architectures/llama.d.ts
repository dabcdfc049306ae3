import type { Architecture } from "../architecture.ts";
/** Llama: RMS norms, rotary positions, grouped key and value heads, a gated MLP. */
export declare const llama: Architecture;
//# sourceMappingURL=llama.d.ts.map