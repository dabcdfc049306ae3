import type { Architecture } from "../architecture.ts";
/** Mixtral: Mistral with a mixture of experts for an MLP. */
export declare const mixtral: Architecture;
//# sourceMappingURL=mixtral.d.ts.map