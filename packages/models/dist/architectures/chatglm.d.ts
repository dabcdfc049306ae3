import type { Architecture } from "../architecture.ts";
/** ChatGLM 2 and 3, GLM-4-9B in their own layout: half of each head rotated in neighbouring pairs, q | k | v fused. */
export declare const chatglm: Architecture;
//# sourceMappingURL=chatglm.d.ts.map