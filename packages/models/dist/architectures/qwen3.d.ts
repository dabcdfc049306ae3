import type { Architecture } from "../architecture.ts";
/** Qwen3: Qwen2 with an RMS norm on every query and key head. */
export declare const qwen3: Architecture;
//# sourceMappingURL=qwen3.d.ts.map