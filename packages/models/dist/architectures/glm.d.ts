import type { Architecture } from "../architecture.ts";
/** GLM-4 as transformers publishes it: neighbouring pairs of half a head rotated, gate and up fused. */
export declare const glm: Architecture;
/** GLM-4-0414: GLM with a norm after each half too. */
export declare const glm4: Architecture;
//# sourceMappingURL=glm.d.ts.map