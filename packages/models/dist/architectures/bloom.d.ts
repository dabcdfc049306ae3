import type { Architecture } from "../architecture.ts";
/** BLOOM: ALiBi, a norm on the embedding, q, k and v of one head after another. */
export declare const bloom: Architecture;
//# sourceMappingURL=bloom.d.ts.map