import type { Architecture } from "../architecture.ts";
/** DeepSeek v2: experts by softmax, from the best groups where there are groups. */
export declare const deepseekV2: Architecture;
/** DeepSeek v3 and R1: experts by sigmoid, a bias in the choice only, the best groups by their two best. */
export declare const deepseekV3: Architecture;
//# sourceMappingURL=deepseek.d.ts.map