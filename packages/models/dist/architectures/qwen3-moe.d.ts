import type { Architecture } from "../architecture.ts";
/** Qwen3-MoE: Qwen3 with experts in the layers that the config says. */
export declare const qwen3Moe: Architecture;
//# sourceMappingURL=qwen3-moe.d.ts.map