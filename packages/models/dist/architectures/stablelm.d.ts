import type { Architecture } from "../architecture.ts";
/** StableLM: layer norms, a part of each head rotated; the larger ones norm each head by a weight of its own. */
export declare const stablelm: Architecture;
//# sourceMappingURL=stablelm.d.ts.map