import type { Architecture } from "../architecture.ts";
/** Qwen2 and 2.5: Llama with biases on q, k and v; later layers may slide. */
export declare const qwen2: Architecture;
//# sourceMappingURL=qwen2.d.ts.map