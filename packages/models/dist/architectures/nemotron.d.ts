import type { Architecture } from "../architecture.ts";
/** Nemotron: layer norms stored less 1, half of each head rotated, a plain MLP with squared ReLU. */
export declare const nemotron: Architecture;
//# sourceMappingURL=nemotron.d.ts.map