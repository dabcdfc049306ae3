import type { Architecture } from "../architecture.ts";
/** Mistral: Llama whose attention may slide, in all layers alike. */
export declare const mistral: Architecture;
//# sourceMappingURL=mistral.d.ts.map