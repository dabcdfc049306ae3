import type { Architecture } from "../architecture.ts";
/** GPT-NeoX (Pythia): q, k and v of one head after another; both halves beside each other, each with its norm. */
export declare const gptNeox: Architecture;
//# sourceMappingURL=gpt-neox.d.ts.map