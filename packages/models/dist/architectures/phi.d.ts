import type { Architecture } from "../architecture.ts";
/** Phi 1, 1.5 and 2: both halves beside each other, biases everywhere, a part of each head rotated. */
export declare const phi: Architecture;
//# sourceMappingURL=phi.d.ts.map