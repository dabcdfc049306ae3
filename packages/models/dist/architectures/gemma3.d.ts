import type { Architecture } from "../architecture.ts";
/** Gemma 3, its text part: Gemma 2 with normed heads and rotary frequencies of their own for sliding layers. */
export declare const gemma3: Architecture;
//# sourceMappingURL=gemma3.d.ts.map