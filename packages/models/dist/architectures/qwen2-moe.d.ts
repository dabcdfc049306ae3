import type { Architecture } from "../architecture.ts";
/** Qwen2-MoE: Qwen2 with experts, and one shared expert behind a gate of its own. */
export declare const qwen2Moe: Architecture;
//# sourceMappingURL=qwen2-moe.d.ts.map