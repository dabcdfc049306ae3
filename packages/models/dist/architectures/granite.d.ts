import type { Architecture } from "../architecture.ts";
/** Granite: Llama with factors on the embedding, the residuals, the attention and the logits. */
export declare const granite: Architecture;
//# sourceMappingURL=granite.d.ts.map