import type { Architecture } from "../architecture.ts";
/** Jais: GPT-2 with ALiBi, a gated MLP, and the factors of maximal update parametrisation. */
export declare const jais: Architecture;
//# sourceMappingURL=jais.d.ts.map