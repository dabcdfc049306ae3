import type { Architecture } from "../architecture.ts";
/** Cohere (Command R): both halves beside each other, neighbouring pairs rotated, logits scaled. */
export declare const cohere: Architecture;
//# sourceMappingURL=cohere.d.ts.map