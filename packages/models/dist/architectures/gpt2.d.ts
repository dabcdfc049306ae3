import type { Architecture } from "../architecture.ts";
/** GPT-2: learned positions, LayerNorm before each half, Conv1D weights stored [in, out]. */
export declare const gpt2: Architecture;
//# sourceMappingURL=gpt2.d.ts.map