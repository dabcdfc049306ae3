import type { Architecture } from "../architecture.ts";
/** StarCoder2: layer norms, biases, a plain tanh-GELU MLP, attention that may slide. */
export declare const starcoder2: Architecture;
//# sourceMappingURL=starcoder2.d.ts.map